//! A good client beside five hundred slow ones, all of whom are there until it is done.
//!
//! How long it waits is for scripts/bench to measure: a clock tells more of the machine than of the server. Here all of its
//! requests are answered while every slow client is held, and the processor's time that they take the server is not much
//! more than without them.

use std::time::Duration;

use super::server::Server;
use crate::{
    client::{Client, get},
    frames::{HEADERS, POST, frame, opening},
    sockets::{TEXT, frame as socket_frame, upgrade},
};

/// Slow clients of each kind.
const EACH: usize = 63;
/// What the good client asks for.
const REQUESTS: usize = 500;
/// So many times more of the processor's time, at most.
const MORE: u32 = 4;

/// How a slow client begins; does it go on, a byte now and then?
fn kinds() -> [(Vec<u8>, bool); 8] {
    let socket = upgrade("/echo", "").into_bytes();
    let half = socket_frame(TEXT, &[b'a'; 10_000]);
    [
        (Vec::new(), false),
        (b"GET / HT".to_vec(), false),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx: ".to_vec(), true),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n".to_vec(), true),
        (get("/much").into_bytes(), false),
        ([opening(), frame(HEADERS, 0x4, 1, POST)].concat(), false),
        (socket.clone(), false),
        ([socket, half[..20].to_vec()].concat(), true),
    ]
}

/// Waits until the server does no more by itself: to fill the system's buffers takes it a while.
async fn quiet(server: &Server) {
    loop {
        let ran = server.ran();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if server.ran() - ran < Duration::from_millis(2) {
            return;
        }
    }
}

/// Has the good client ask for all it wants, one after the other, and now and then on a new connection; what the server's
/// processor took for that. Between two requests another of the slow clients goes on.
async fn ask(server: &Server, slow: &mut [Client]) -> Duration {
    quiet(server).await;
    let mut good = Client::at(server.address).await;
    let since = server.ran();
    for n in 0..REQUESTS {
        if n % 10 == 0 {
            good = Client::at(server.address).await;
        }
        if !slow.is_empty() {
            assert!(slow[n % slow.len()].send("a").await, "it is still there");
        }
        assert_eq!(good.ask(get("/")).await.status, 200, "no request is refused");
    }
    server.ran() - since
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn w1_a_good_client_is_served_while_five_hundred_slow_ones_are_there() {
    let server = Server::start();
    ask(&server, &mut []).await;
    let alone = ask(&server, &mut []).await;
    let (mut dripping, mut others) = (Vec::new(), Vec::new());
    for (begin, drips) in kinds().into_iter().cycle().take(8 * EACH) {
        let mut client = Client::at(server.address).await;
        client.send(begin).await;
        if drips { dripping.push(client) } else { others.push(client) }
    }
    let beside = ask(&server, &mut dripping).await;
    println!("{alone:?} alone, {beside:?} beside {} slow clients", dripping.len() + others.len());
    for client in dripping.iter_mut().chain(&mut others) {
        assert!(client.is_held().await, "a slow client was let go before its time");
    }
    assert!(dripping.len() + others.len() > 500);
    assert!(beside < alone * MORE, "{beside:?} and {alone:?} alone");
}
