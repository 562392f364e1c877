//! How long a WebSocket may say nothing.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use axum::{
    response::Response,
    routing::{MethodRouter, any},
};

use super::*;
use crate::http::{Frame, WebSocket};

const UPGRADE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// Frames of a client, masked with zeros.
const TEXT: &[u8] = b"\x81\x80\0\0\0\0";
const PONG: &[u8] = b"\x8a\x80\0\0\0\0";
/// Frames of the server.
const PING: [u8; 2] = [0x89, 0];
const ECHO: [u8; 2] = [0x81, 0];
const CLOSED: [u8; 4] = [0x88, 2, 0x03, 0xe8];

async fn echo(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        while let Some(frame) = socket.next().await {
            if socket.send(frame).await.is_err() {
                break;
            }
        }
    })
}

/// Bytes that may wait to be read by a client.
const PIPE: usize = 4096;

/// An open socket of a server with these limits.
async fn open(limits: impl FnOnce(&mut Limits)) -> DuplexStream {
    open_for(any(echo), limits).await
}

async fn open_for(route: MethodRouter, limits: impl FnOnce(&mut Limits)) -> DuplexStream {
    let shared = shared(Router::new().route("/", route), limits, None);
    let mut client = connect(&shared, PIPE).await;
    client.write_all(UPGRADE).await.expect("it is open");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("it is answered"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    client
}

/// The next so many bytes, and how long they took.
async fn next<const LENGTH: usize>(client: &mut DuplexStream) -> ([u8; LENGTH], Duration) {
    let (since, mut bytes) = (Instant::now(), [0; LENGTH]);
    client.read_exact(&mut bytes).await.expect("it is open");
    (bytes, since.elapsed())
}

#[tokio::test(start_paused = true)]
async fn w1_a_socket_may_say_nothing_for_its_time_and_no_longer() {
    let mut client = open(|limits| limits.socket_idle = LIMIT).await;
    for _ in 0..5 {
        sleep(LIMIT - MOMENT).await;
        client.write_all(TEXT).await.expect("it is open");
        assert_eq!(next(&mut client).await.0, ECHO);
    }
    // What answers a ping is no message.
    sleep(LIMIT / 2).await;
    client.write_all(PONG).await.expect("it is open");
    let (last, took) = next(&mut client).await;
    assert_eq!(last, CLOSED);
    assert!(is_time(took, LIMIT - LIMIT / 2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn w1_who_answers_pings_is_kept_and_who_does_not_is_let_go_after_two() {
    let limits = |limits: &mut Limits| (limits.ping, limits.socket_idle) = (LIMIT, FAR);
    let mut there = open(limits).await;
    for _ in 0..50 {
        let (asked, took) = next(&mut there).await;
        assert_eq!(asked, PING);
        assert!(is_time(took, LIMIT), "{took:?}");
        // It takes its time, nearly all that it has.
        sleep(LIMIT - 2 * MOMENT).await;
        there.write_all(PONG).await.expect("it is open");
        sleep(MOMENT).await;
        there.write_all(TEXT).await.expect("it is open");
        assert_eq!(next(&mut there).await.0, ECHO);
    }
    let mut silent = open(limits).await;
    let took = closed(&mut silent).await;
    assert!(is_time(took, 2 * LIMIT), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn w1_what_is_sent_waits_for_room_in_the_buffer() {
    const LENGTH: usize = 500;
    let sent = Arc::new(AtomicUsize::new(0));
    let counts = sent.clone();
    let sends = async move |request: WebSocket| {
        request.open(async move |socket| {
            while socket.send(Frame::Binary(vec![0; LENGTH].into())).await.is_ok() {
                counts.fetch_add(1, Relaxed);
            }
        })
    };
    let mut client = open_for(any(sends), |limits| limits.socket_buffer = 2 * LENGTH).await;
    // With the head of four bytes that each has: so many are in the pipe as fit, one is being written, one waits.
    let most = PIPE / (LENGTH + 4) + 2;
    for read in 0..5 {
        sleep(LIMIT).await;
        assert_eq!(sent.load(Relaxed), most + read);
        let _ = next::<{ LENGTH + 4 }>(&mut client).await;
    }
}
