//! What has no end, or is never read.

use std::time::Duration;

use tegami::{Error, service::Running};
use tokio::time::timeout;

use super::serve;
use crate::{
    LONG, SHORT,
    client::{Client, ask, get},
    sockets::{BINARY, TEXT, close_code, frame, next, open, upgrade},
};

/// A message in parts of a byte, as long as it may be, which never ends.
pub fn endless() -> Vec<u8> {
    [frame(0x01, b"a"), frame(0x00, b"a").repeat(10_000)].concat()
}

/// So many half-open sockets at once.
const HALF_OPEN: usize = 500;

/// Sockets that go no further: nothing of a handshake, half of one, nothing of a frame, half of one.
async fn half_open(service: &Running) -> Vec<Client> {
    let handshake = upgrade("/echo", "").into_bytes();
    let frame = frame(TEXT, &[b'a'; 1_000]);
    let begins = [vec![], handshake[..40].to_vec(), handshake.clone(), [&handshake, &frame[..500]].concat()];
    let mut clients = Vec::new();
    for begin in begins.iter().cycle().take(HALF_OPEN) {
        let mut client = Client::connect(service).await;
        client.send(begin).await;
        clients.push(client);
    }
    clients
}

#[tokio::test]
async fn w6_five_hundred_half_open_sockets_are_let_go_and_disturb_nobody() -> Result<(), Error> {
    // On a slow machine the first would be let go before the last is there.
    for patience in [2, 6, 18].map(Duration::from_secs) {
        let service = serve(move |http| {
            http.limits(|limits| {
                (limits.first_byte, limits.head, limits.ping) = (patience, patience, patience / 2);
                (limits.connections, limits.connections_per_address) = (2 * HALF_OPEN, 2 * HALF_OPEN);
            })
        });
        let service = service.await?;
        let mut clients = half_open(&service).await;
        let mut good = open(&service, "/echo").await;
        for _ in 0..20 {
            good.send(frame(TEXT, b"hello")).await;
            while next(&mut good).await.expect("it is open") != (TEXT, b"hello".to_vec()) {}
        }
        let mut held = 0;
        for client in &mut clients {
            held += usize::from(client.is_held().await);
        }
        let all_gone = async {
            for client in &mut clients {
                while client.is_held().await {
                    assert_eq!(ask(&service, get("/")).await.status, 200, "a good client is served");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        };
        timeout(LONG + 2 * patience, all_gone).await.expect("they are let go");
        if held == HALF_OPEN {
            return Ok(());
        }
    }
    panic!("they were never there all at once");
}

#[tokio::test]
async fn w6_endless_and_unread_frames_end_the_socket() -> Result<(), Error> {
    let service =
        serve(|http| http.limits(|limits| (limits.ping, limits.write, limits.socket_rate) = (SHORT, SHORT, u32::MAX)))
            .await?;
    let begin = frame(0x01, b"a");
    let (part, empty) = (frame(0x00, &[b'a'; 1000]), frame(0x00, b""));
    for (what, begin, flood) in [
        ("parts of one message", &begin, part),
        ("empty parts of one message", &begin, empty),
        ("continuations of nothing", &Vec::new(), frame(0x00, b"a")),
    ] {
        let mut client = open(&service, "/echo").await;
        client.send(begin).await;
        println!("{what}");
        client.flood(&flood.repeat(100)).await;
    }
    // An echo that is never read: half open, and a frame that is begun and never ends.
    let mut unread = open(&service, "/echo").await;
    while unread.send(frame(BINARY, &[0; 60_000])).await {}
    let mut half = open(&service, "/echo").await;
    half.send(&frame(TEXT, b"hello")[..4]).await;
    assert_eq!(close_code(&mut half).await, None, "it never went on");
    Ok(())
}
