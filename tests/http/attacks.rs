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
    frames::{DATA, GOAWAY, HEADERS, PREFACE, REQUEST, SETTINGS, frame, opening, request, until},
    serve,
};

const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const PING: u8 = 6;
const ROOM: u8 = 8;
const CONTINUATION: u8 = 9;
/// `POST http://a/` in HPACK.
const POST: &[u8] = b"\x83\x86\x84\x41\x01a";

async fn service() -> Result<Running, Error> {
    let parts = || stream::repeat(Bytes::from_static(&[0; 1 << 14])).take(1 << 10).map(Ok::<_, std::io::Error>);
    let router = Router::new()
        .route("/", on_get(async || "hello").merge(on_post(async |body: Bytes| body.len().to_string())))
        .route("/much", on_get(async move || Body::from_stream(parts())));
    serve(router, |http| {
        http.limits(|limits| {
            (limits.head, limits.idle, limits.write, limits.body_grace) = (SHORT, SHORT, SHORT, SHORT);
        })
    })
    .await
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
    let service = service().await?;
    let cancel = 8_u32.to_be_bytes();
    for (what, attack) in [
        ("rapid resets", requests(2_000, |stream| frame(RESET, 0, stream, &cancel))),
        ("resets that the server is made to send", requests(2_000, |stream| frame(ROOM, 0, stream, &[0; 4]))),
        ("an endless head", endless(&[b"\x40\x01x\x7f\x81\x0f".as_slice(), &[b'v'; 270]].concat())),
        ("an endless head of nothing", endless(&[])),
        ("data before a head", frame(DATA, 0, 1, b"early")),
        ("settings of a stream", frame(SETTINGS, 0, 1, &[])),
        ("a stream of the server's", frame(HEADERS, 0x5, 2, REQUEST)),
        ("a window too large", [setting(4, u32::MAX), request(1)].concat()),
        ("frames too large to be allowed", setting(5, 1)),
        ("a push that is no choice", setting(2, 2)),
        ("a ping too short", frame(PING, 0, 0, &[0; 4])),
        ("room that is none", frame(ROOM, 0, 0, &[0; 4])),
        ("more room than can be", frame(ROOM, 0, 0, &0x7fff_ffff_u32.to_be_bytes())),
        ("a frame larger than agreed", frame(DATA, 0, 1, &[0; 16_385])),
        ("a table larger than agreed", frame(HEADERS, 0x5, 1, &[b"\x3f\xff\xff\xff\x7f", REQUEST].concat())),
        ("a header that is in no table", frame(HEADERS, 0x5, 1, b"\xff\xff\x0f")),
        ("padding longer than its frame", frame(DATA, 0x8, 1, &[200, 0])),
        ("a head that depends on itself", frame(HEADERS, 0x25, 1, &[&[0, 0, 0, 1, 0], REQUEST].concat())),
    ] {
        let attack = async {
            let mut client = Client::connect(&service).await;
            client.send([opening(), attack].concat()).await;
            while until(&mut client, GOAWAY).await.is_some() {}
        };
        println!("{what}");
        beside(&service, attack).await;
    }
    Ok(())
}

#[tokio::test]
async fn w6_what_never_ends_is_ended() -> Result<(), Error> {
    let service = service().await?;
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
