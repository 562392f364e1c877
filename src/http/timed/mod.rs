//! Limits of time, a moment within and a moment beyond, on a paused clock: connections are pipes of this process.

#[cfg(feature = "http-tls")]
mod handshake;
mod never;
mod rotation;
mod sockets;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    guests::{Guests, Place},
    options::{HttpOptions, Limits},
    server::{Parts, Shared, greet},
    tls::Tls,
};
use crate::{
    health::{Board, Light},
    lifecycle::Lifecycle,
    publisher::{Link, Publisher},
    telemetry::Observers,
    time::{Clock, Dice},
};

/// A moment: what is due is done well within it.
const MOMENT: Duration = Duration::from_millis(5);
/// A limit that a test looks at, and one that it does not.
const LIMIT: Duration = Duration::from_secs(7);
const FAR: Duration = Duration::from_secs(10_000);
/// A limit that has a connection looked at often, and is never met.
const OFTEN: Duration = Duration::from_millis(70);

/// What the server knows that serves this router.
fn shared(router: Router, limits: impl FnOnce(&mut Limits), tls: Option<Tls>) -> Arc<Shared> {
    let parts = Parts {
        lifecycle: Lifecycle::default(),
        publisher: Publisher::new(watch::channel(Link::Waiting).1),
        clock: Clock::system(),
        dice: Dice::seeded(7),
        observers: Observers::default(),
        board: Board::new("billing", CancellationToken::new()),
        light: Light::default(),
    };
    let options = HttpOptions::default().limits(|all| {
        (all.first_byte, all.head, all.idle, all.write, all.handler, all.ping) = (FAR, FAR, FAR, FAR, FAR, FAR);
        limits(all);
    });
    Arc::new(Shared::new(tls, router, options, parts))
}

fn router() -> Router {
    Router::new().route("/", get(async || "hello"))
}

/// A client's end of a new connection, on which so many bytes may wait to be read.
async fn connect(shared: &Arc<Shared>, room: usize) -> DuplexStream {
    connect_in(shared, room, Guests::proxy(Guests::new(1, 1).seat().await))
}

/// The same in this place.
fn connect_in(shared: &Arc<Shared>, room: usize, place: Place) -> DuplexStream {
    let (client, io) = duplex(room);
    shared.parts.lifecycle.spawn(greet(shared.clone(), io, (Ipv4Addr::LOCALHOST, 0).into(), place));
    client
}

/// A connection to a server with these limits.
async fn client(limits: impl FnOnce(&mut Limits)) -> DuplexStream {
    connect(&shared(router(), limits, None), 64 * 1024).await
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// The status that this request is answered with; its answer ends with `hello` or has no body.
async fn ask(client: &mut DuplexStream, request: &[u8]) -> Option<u16> {
    client.write_all(request).await.ok()?;
    let mut read = Vec::new();
    while !is_whole(&read) {
        read.push(client.read_u8().await.ok()?);
    }
    std::str::from_utf8(&read[9..12]).ok()?.parse().ok()
}

fn is_whole(answer: &[u8]) -> bool {
    answer.ends_with(if answer.starts_with(b"HTTP/1.1 200") { b"hello".as_slice() } else { b"\r\n\r\n" })
}

/// When the server closes, from now on.
async fn closed(client: &mut DuplexStream) -> Duration {
    let since = Instant::now();
    let _ = client.read_to_end(&mut Vec::new()).await;
    since.elapsed()
}

/// Is it that time, and not a moment more?
fn is_time(took: Duration, limit: Duration) -> bool {
    (limit..limit + MOMENT).contains(&took)
}

#[tokio::test(start_paused = true)]
async fn w1_a_connection_has_its_time_for_the_first_byte_and_no_more() {
    let mut late = client(|limits| (limits.first_byte, limits.head) = (LIMIT, OFTEN)).await;
    sleep(LIMIT - MOMENT).await;
    assert_eq!(ask(&mut late, REQUEST).await, Some(200));
    let took = closed(&mut client(|limits| (limits.first_byte, limits.head) = (LIMIT, OFTEN)).await).await;
    assert!(is_time(took, LIMIT), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn w1_a_head_has_its_time_and_no_more() {
    let (first, rest) = REQUEST.split_at(5);
    let mut late = client(|limits| (limits.head, limits.idle) = (LIMIT, OFTEN)).await;
    // From its first byte on, however long that took, and however often another comes.
    sleep(2 * LIMIT).await;
    late.write_all(first).await.expect("it is open");
    sleep(LIMIT / 2).await;
    late.write_all(&rest[..5]).await.expect("it is open");
    sleep(LIMIT / 2 - MOMENT).await;
    assert_eq!(ask(&mut late, &rest[5..]).await, Some(200));
    let mut later = client(|limits| (limits.head, limits.idle) = (LIMIT, OFTEN)).await;
    later.write_all(first).await.expect("it is open");
    sleep(LIMIT / 2).await;
    later.write_all(&rest[..5]).await.expect("it is open");
    let took = closed(&mut later).await;
    assert!(is_time(took, LIMIT - LIMIT / 2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn w1_a_connection_may_be_idle_for_its_time_and_no_longer() {
    let mut client = client(|limits| (limits.idle, limits.head) = (LIMIT, OFTEN)).await;
    for _ in 0..5 {
        assert_eq!(ask(&mut client, REQUEST).await, Some(200));
        sleep(LIMIT - MOMENT).await;
    }
    assert_eq!(ask(&mut client, REQUEST).await, Some(200));
    let took = closed(&mut client).await;
    assert!(is_time(took, LIMIT), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn w1_a_handler_has_its_time_and_no_more() {
    let within = async || {
        sleep(LIMIT - MOMENT).await;
        "hello"
    };
    let router = router().route("/within", get(within)).route("/beyond", get(async || sleep(LIMIT + MOMENT).await));
    let mut client = connect(&shared(router, |limits| limits.handler = LIMIT, None), 64 * 1024).await;
    let asked = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
    for (path, status, takes) in [("/within", 200, LIMIT - MOMENT), ("/beyond", 503, LIMIT), ("/", 200, Duration::ZERO)]
    {
        let since = Instant::now();
        assert_eq!(ask(&mut client, &asked(path)).await, Some(status), "{path}");
        assert!(is_time(since.elapsed(), takes), "{path}: {:?}", since.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn w1_a_client_has_its_time_to_take_what_is_written_and_no_more() {
    const MUCH: usize = 1024 * 1024;
    let router = Router::new().route("/", get(async || vec![0; MUCH]));
    let shared = shared(router, |limits| (limits.write, limits.head) = (LIMIT, OFTEN), None);
    let mut slow = connect(&shared, 16 * 1024).await;
    slow.write_all(REQUEST).await.expect("it is open");
    let mut part = vec![0; MUCH / 8];
    for _ in 0..8 {
        sleep(LIMIT - MOMENT).await;
        slow.read_exact(&mut part).await.expect("it is still written to");
    }
    let mut stuck = connect(&shared, 16 * 1024).await;
    stuck.write_all(REQUEST).await.expect("it is open");
    sleep(LIMIT + MOMENT).await;
    let mut read = Vec::new();
    let _ = stuck.read_to_end(&mut read).await;
    assert!(read.len() <= 16 * 1024, "{} bytes: nothing was written after the limit", read.len());
}
