//! What is much, or has no end: each is let go.

use tegami::{Error, service::Running};

use super::{super::beside, CALM, CONTINUATION, PRIORITY, ROOM, code, frames::setting, hpack::bomb, router};
use crate::{
    SHORT,
    client::Client,
    frames::{
        DATA, GOAWAY, HEADERS, PING, POST, PREFACE, REQUEST, RESET, SETTINGS, frame, next, opening, request, until,
    },
    serve,
};

/// Nothing to do with `http://a/`, in HPACK.
const METHODLESS: &[u8] = b"\x86\x84\x41\x01a";

/// Many requests, each with something after its head.
fn requests(count: u32, after: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (0..count).map(|n| 2 * n + 1).flat_map(|stream| [request(stream), after(stream)].concat()).collect()
}

/// Bombs, one after the other: each is as large as a frame may be, and means a thousand times as much.
pub fn bombs() -> Vec<u8> {
    [opening(), bomb()].concat()
}

/// A head that has much in it, and no end.
pub fn endless() -> Vec<u8> {
    [opening(), going_on(&much())].concat()
}

/// A header of some 270 bytes, which goes into the table.
fn much() -> Vec<u8> {
    [b"\x40\x01x\x7f\x81\x0f".as_slice(), &[b'v'; 270]].concat()
}

/// A head that goes on and on.
fn going_on(part: &[u8]) -> Vec<u8> {
    let parts = (0..2_000).flat_map(|_| frame(CONTINUATION, 0, 1, part));
    frame(HEADERS, 0x1, 1, REQUEST).into_iter().chain(parts).collect()
}

#[tokio::test]
async fn w6_too_much_of_one_kind_ends_the_connection() -> Result<(), Error> {
    // No limit of time ends them: they would be waited for in vain.
    let service = serve(router(), |http| http).await?;
    let cancel = 8_u32.to_be_bytes();
    for (what, attack) in [
        ("rapid resets", requests(2_000, |stream| frame(RESET, 0, stream, &cancel))),
        ("an endless head", going_on(&much())),
        ("an endless head of nothing", going_on(&[])),
    ] {
        let attack = async {
            assert_eq!(farewell(&service, attack).await, Some(CALM), "{what}");
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
            GOAWAY => return Err(code(&payload[4..])),
            _ => {}
        }
    }
}

/// The code that the server ends a connection with, which sends this.
async fn farewell(service: &Running, attack: Vec<u8>) -> Option<u32> {
    let mut client = Client::connect(service).await;
    client.send([opening(), attack].concat()).await;
    let mut last = None;
    while let Some((_, told)) = until(&mut client, GOAWAY).await {
        last = Some(code(&told[4..]));
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
