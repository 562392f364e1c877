//! How long a WebSocket may say nothing, and how much may wait on it.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use axum::{
    response::Response,
    routing::{MethodRouter, any},
};
use tokio::{sync::Semaphore, time::timeout};

use super::*;
use crate::http::{Frame, WebSocket};

const UPGRADE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// Frames of a client, masked with zeros.
pub(super) const TEXT: &[u8] = b"\x81\x80\0\0\0\0";
const PONG: &[u8] = b"\x8a\x80\0\0\0\0";
/// Frames of the server.
const PING: [u8; 2] = [0x89, 0];
pub(super) const ECHO: [u8; 2] = [0x81, 0];
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

/// Sends an empty text so often, after a while each, and then takes what comes.
fn sends(every: Duration, times: usize) -> MethodRouter {
    any(async move |request: WebSocket| {
        request.open(async move |mut socket| {
            for _ in 0..times {
                sleep(every).await;
                if socket.send(Frame::Text(String::new())).await.is_err() {
                    return;
                }
            }
            while socket.next().await.is_some() {}
        })
    })
}

/// Bytes that may wait to be read by a client.
const PIPE: usize = 4096;

/// An open socket of a server with these limits.
pub(super) async fn open(limits: impl FnOnce(&mut Limits)) -> DuplexStream {
    open_for(any(echo), limits).await
}

async fn open_for(route: MethodRouter, limits: impl FnOnce(&mut Limits)) -> DuplexStream {
    upgraded(connect(&shared(Router::new().route("/", route), limits, None), PIPE).await).await
}

/// A connection that is a WebSocket from now on.
async fn upgraded(mut client: DuplexStream) -> DuplexStream {
    client.write_all(UPGRADE).await.expect("it is open");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("it is answered"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    client
}

/// The next so many bytes, and how long they took.
pub(super) async fn next<const LENGTH: usize>(client: &mut DuplexStream) -> ([u8; LENGTH], Duration) {
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
async fn w1_a_socket_on_which_only_the_server_speaks_is_not_idle() {
    let mut listens = open_for(sends(LIMIT - MOMENT, 5), |limits| limits.socket_idle = LIMIT).await;
    for _ in 0..5 {
        assert_eq!(next(&mut listens).await.0, ECHO);
    }
    let (last, took) = next(&mut listens).await;
    assert_eq!(last, CLOSED);
    assert!(is_time(took, LIMIT), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn w1_who_only_listens_is_asked_however_much_it_is_sent() {
    let limits = |limits: &mut Limits| (limits.ping, limits.socket_idle) = (LIMIT, FAR);
    let mut listens = open_for(sends(LIMIT / 4, usize::MAX), limits).await;
    let (since, mut asked) = (Instant::now(), 0);
    while since.elapsed() < 50 * LIMIT {
        match next(&mut listens).await.0 {
            PING => {
                asked += 1;
                listens.write_all(PONG).await.expect("it is open");
            }
            told => assert_eq!(told, ECHO),
        }
    }
    assert!((49..=50).contains(&asked), "asked {asked} times");
    let mut silent = open_for(sends(LIMIT / 4, usize::MAX), limits).await;
    let took = closed(&mut silent).await;
    assert!(is_time(took, 2 * LIMIT), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn w1_who_takes_a_long_message_slowly_is_asked_after_it_and_kept() {
    const PARTS: usize = 20;
    let sends = async |request: WebSocket| {
        request.open(async |mut socket| {
            socket.send(Frame::Binary(vec![0; PARTS * PIPE].into())).await.expect("it is open");
            while socket.next().await.is_some() {}
        })
    };
    let limits = |limits: &mut Limits| (limits.ping, limits.socket_idle) = (LIMIT, FAR);
    let mut slow = open_for(any(sends), limits).await;
    for _ in 0..PARTS {
        sleep(LIMIT / 2).await;
        let _ = next::<PIPE>(&mut slow).await;
    }
    // The message has a head of ten bytes.
    let _ = next::<10>(&mut slow).await;
    for _ in 0..3 {
        let (asked, _) = next(&mut slow).await;
        assert_eq!(asked, PING);
        sleep(LIMIT - MOMENT).await;
        slow.write_all(PONG).await.expect("it is open");
    }
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

/// Its handler reads nothing for long, so that nothing of the client is heard: neither its answers nor its end.
#[tokio::test(start_paused = true)]
async fn w1_a_client_that_cannot_be_heard_is_asked_and_let_go_once_it_has_left() {
    const ASKED: usize = 120;
    let deaf = async |request: WebSocket| {
        request.open(async |mut socket| {
            sleep(ASKED as u32 * LIMIT + LIMIT / 2).await;
            while socket.next().await.is_some() {}
        })
    };
    let limits = |limits: &mut Limits| (limits.ping, limits.socket_idle) = (LIMIT, FAR);
    let (shared, guests) = (shared(Router::new().route("/", any(deaf)), limits, None), Guests::new(1, 1));
    let mut there = upgraded(connect(&shared, PIPE).await).await;
    let mut leaves = upgraded(connect_in(&shared, PIPE, Guests::proxy(guests.seat().await))).await;
    for client in [&mut there, &mut leaves] {
        client.write_all(&TEXT.repeat(17)).await.expect("it is open");
    }
    let since = Instant::now();
    drop(leaves);
    let _seat = guests.seat().await;
    assert!(is_time(since.elapsed(), LIMIT), "{:?}", since.elapsed());
    // The first has come already.
    for _ in 0..ASKED {
        assert_eq!(next(&mut there).await.0, PING);
        there.write_all(PONG).await.expect("it is open");
    }
    // More than it may send in a second were heard at once, and not too many: it was asked for them.
    let (asked, took) = next(&mut there).await;
    assert_eq!(asked, PING);
    assert!(took <= 2 * LIMIT, "{took:?}");
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

/// Sends this message again and again, from so many bytes on, until no more are taken; how many were.
async fn fill(client: &mut DuplexStream, message: &[u8], mut sent: usize) -> usize {
    while let Ok(wrote) = timeout(MOMENT, client.write(&message[sent % message.len()..])).await {
        sent += wrote.expect("it is open");
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn w1_what_a_client_sends_waits_for_room_in_the_buffer_too() {
    const LENGTH: u16 = 50_000;
    const EACH: usize = LENGTH as usize;
    let message = [&[0x82, 0xfe][..], &LENGTH.to_be_bytes(), &[0; 4 + EACH]].concat();
    // One more is read than wait, and what is larger than the buffer waits alone.
    for (buffer, read) in [(2 * EACH, 3), (2 * EACH - 1, 2), (EACH, 2), (EACH - 1, 2), (1, 2)] {
        let turns = Arc::new(Semaphore::new(0));
        let takes = turns.clone();
        let takes = async move |request: WebSocket| {
            request.open(async move |mut socket| {
                while let Ok(turn) = takes.acquire().await {
                    turn.forget();
                    socket.next().await.expect("it is open");
                }
            })
        };
        let mut client = open_for(any(takes), |limits| limits.socket_buffer = buffer).await;
        let mut sent = 0;
        for taken in 0..5 {
            sent = fill(&mut client, &message, sent).await;
            // What has begun to come is in the pipe, and beside the last that was read.
            let least = (read + taken) * message.len();
            assert!((least..=least + 2 * PIPE).contains(&sent), "{sent} of {least} with {buffer}, {taken} taken");
            turns.add_permits(1);
        }
    }
}
