//! What clients of HTTP/2 do that no client would: each is let go, and costs nobody else a request.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tegami::{
    Error,
    http::axum::{
        Router,
        body::{Body, Bytes},
        routing::{get as on_get, post as on_post},
    },
    service::Running,
};

use crate::{
    SHORT,
    client::{Client, ask, get},
    frames::{
        DATA, GOAWAY, HEADERS, PING, POST, PREFACE, REQUEST, RESET, SETTINGS, frame, next, opening, request, until,
    },
    serve,
};

const PRIORITY: u8 = 2;
// RFC 9113, 7.
const PROTOCOL: u32 = 1;
const FLOW: u32 = 3;
const SIZE: u32 = 6;
const CALM: u32 = 11;
const ROOM: u8 = 8;
const CONTINUATION: u8 = 9;

fn router() -> Router {
    let parts = || stream::repeat(Bytes::from_static(&[0; 1 << 14])).take(1 << 10).map(Ok::<_, std::io::Error>);
    Router::new()
        .route("/", on_get(async || "hello").merge(on_post(async |body: Bytes| body.len().to_string())))
        .route("/much", on_get(async move || Body::from_stream(parts())))
}

/// A good client asks while the attack lasts, and once more.
async fn beside(service: &Running, attack: impl Future<Output = ()>) {
    let good = async {
        loop {
            assert_eq!(ask(service, get("/")).await.status, 200, "a good client is served");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = attack => {}
        () = good => {}
    }
    assert_eq!(ask(service, get("/")).await.status, 200, "and is served after it");
}

/// Nothing to do with `http://a/`, in HPACK.
const METHODLESS: &[u8] = b"\x86\x84\x41\x01a";

/// A setting and its value.
fn setting(name: u8, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&[0, name], &value.to_be_bytes()[..]].concat())
}

/// Many requests, each with something after its head.
fn requests(count: u32, after: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (0..count).map(|n| 2 * n + 1).flat_map(|stream| [request(stream), after(stream)].concat()).collect()
}

/// A header of 4,000 bytes that goes into the table, and one byte for each time it is meant again.
fn bomb() -> Vec<u8> {
    let header = [b"\x40\x01x\x7f\xa1\x1e".as_slice(), &[b'v'; 4_000]].concat();
    frame(HEADERS, 0x5, 1, &[REQUEST, &header, &[0xbe; 12_000]].concat())
}

/// A head that goes on and on.
fn endless(part: &[u8]) -> Vec<u8> {
    let parts = (0..2_000).flat_map(|_| frame(CONTINUATION, 0, 1, part));
    frame(HEADERS, 0x1, 1, REQUEST).into_iter().chain(parts).collect()
}

#[tokio::test]
async fn w6_what_no_client_would_send_ends_the_connection() -> Result<(), Error> {
    // No limit of time ends them: they would be waited for in vain.
    let service = serve(router(), |http| http).await?;
    let cancel = 8_u32.to_be_bytes();
    for (what, attack, code) in [
        ("rapid resets", requests(2_000, |stream| frame(RESET, 0, stream, &cancel)), Some(CALM)),
        ("room for no more", requests(1, |stream| frame(ROOM, 0, stream, &[0; 4])), Some(PROTOCOL)),
        ("an endless head", endless(&[b"\x40\x01x\x7f\x81\x0f".as_slice(), &[b'v'; 270]].concat()), Some(CALM)),
        ("an endless head of nothing", endless(&[]), Some(CALM)),
        ("data before a head", frame(DATA, 0, 1, b"early"), Some(PROTOCOL)),
        ("settings of a stream", frame(SETTINGS, 0, 1, &[]), Some(PROTOCOL)),
        ("a stream of the server's", frame(HEADERS, 0x5, 2, REQUEST), Some(PROTOCOL)),
        ("a window too large", [setting(4, u32::MAX), request(1)].concat(), Some(PROTOCOL)),
        ("frames too large to be allowed", setting(5, 1), Some(PROTOCOL)),
        ("a push that is no choice", setting(2, 2), Some(PROTOCOL)),
        ("a ping too short", frame(PING, 0, 0, &[0; 4]), Some(PROTOCOL)),
        ("room that is none", frame(ROOM, 0, 0, &[0; 4]), Some(PROTOCOL)),
        ("more room than can be", frame(ROOM, 0, 0, &0x7fff_ffff_u32.to_be_bytes()), Some(FLOW)),
        ("a frame larger than agreed", frame(DATA, 0, 1, &[0; 16_385]), Some(SIZE)),
        (
            "a table larger than agreed",
            frame(HEADERS, 0x5, 1, &[b"\x3f\xff\xff\xff\x7f", REQUEST].concat()),
            Some(PROTOCOL),
        ),
        ("a header that is in no table", frame(HEADERS, 0x5, 1, b"\xff\xff\x0f"), Some(PROTOCOL)),
        ("padding longer than its frame", frame(DATA, 0x8, 1, &[200, 0]), Some(PROTOCOL)),
        ("a head that depends on itself", frame(HEADERS, 0x25, 1, &[&[0, 0, 0, 1, 0], REQUEST].concat()), None),
    ] {
        let attack = async {
            assert_eq!(farewell(&service, attack).await, code, "{what}");
        };
        beside(&service, attack).await;
    }
    Ok(())
}

#[tokio::test]
async fn w6_so_many_resets_are_taken_and_one_more_ends_the_connection() -> Result<(), Error> {
    let service = serve(router(), |http| http).await?;
    for (resets, expected) in [(20, Ok(())), (21, Err(CALM))] {
        let mut client = Client::connect(&service).await;
        let attack = requests(resets, |stream| frame(RESET, 0, stream, &8_u32.to_be_bytes()));
        client.send([opening(), attack].concat()).await;
        assert_eq!(still_serves(&mut client).await, expected, "{resets} of the client's");
    }
    for (resets, expected) in [(128, Ok(())), (129, Err(CALM))] {
        let mut client = Client::connect(&service).await;
        client.send(opening()).await;
        // One after the other, for no more than 100 streams are open at once.
        for stream in (0..resets - 1).map(|n| 2 * n + 1) {
            client.send(frame(HEADERS, 0x5, stream, METHODLESS)).await;
            assert_eq!(until(&mut client, RESET).await.map(|(reset, _)| reset), Some(stream));
        }
        client.send(frame(HEADERS, 0x5, 2 * resets - 1, METHODLESS)).await;
        assert_eq!(still_serves(&mut client).await, expected, "{resets} of the server's");
    }
    Ok(())
}

/// Is the next request answered? The code that the server ends the connection with, if not.
async fn still_serves(client: &mut Client) -> Result<(), u32> {
    client.send(request(9_999)).await;
    loop {
        let (kind, _, payload) = next(client).await.expect("an answer or a farewell");
        match kind {
            DATA => return Ok(()),
            GOAWAY => return Err(code(&payload)),
            _ => {}
        }
    }
}

fn code(farewell: &[u8]) -> u32 {
    farewell[4..8].try_into().map(u32::from_be_bytes).expect("four bytes")
}

/// The code that the server ends a connection with, which sends this.
async fn farewell(service: &Running, attack: Vec<u8>) -> Option<u32> {
    let mut client = Client::connect(service).await;
    client.send([opening(), attack].concat()).await;
    let mut last = None;
    while let Some((_, told)) = until(&mut client, GOAWAY).await {
        last = Some(code(&told));
    }
    last
}

#[tokio::test]
async fn w6_what_never_ends_is_ended() -> Result<(), Error> {
    let service = serve(router(), |http| {
        http.limits(|limits| {
            (limits.head, limits.idle, limits.write, limits.body_grace) = (SHORT, SHORT, SHORT, SHORT);
        })
    })
    .await?;
    let much = frame(HEADERS, 0x5, 1, b"\x82\x86\x04\x05/much\x41\x01a");
    let one = 1_u32.to_be_bytes();
    for (what, begin, flood) in [
        ("settings", vec![], setting(3, 100)),
        ("settings after a request", request(1), setting(3, 100)),
        ("pings", vec![], frame(PING, 0, 0, &[0; 8])),
        ("pings after a request", request(1), frame(PING, 0, 0, &[0; 8])),
        ("priorities", request(1), frame(PRIORITY, 0, 3, &[0; 5])),
        ("frames of an unknown kind", request(1), frame(0xbe, 0, 0, &[0; 100])),
        ("room for nothing", request(1), frame(ROOM, 0, 0, &one)),
        ("empty parts of a body", frame(HEADERS, 0x4, 1, POST), frame(DATA, 0, 1, &[])),
        ("padded parts of a body", frame(HEADERS, 0x4, 1, POST), frame(DATA, 0x8, 1, &[200; 201])),
        ("room for one byte", [setting(4, 0), much].concat(), frame(ROOM, 0, 1, &one)),
        ("header bombs", vec![], bomb()),
    ] {
        let attack = async {
            let mut client = Client::connect(&service).await;
            client.send([PREFACE, &frame(SETTINGS, 0, 0, &[]), &begin].concat()).await;
            client.flood(&flood.repeat(100)).await;
        };
        println!("{what}");
        beside(&service, attack).await;
    }
    Ok(())
}
