//! A stop with everything under way at once (W-05): requests, WebSockets, and clients that do not read.

use std::{
    io::{BufRead, BufReader},
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tegami::{
    Service,
    http::{
        WebSocket,
        axum::{
            Router,
            response::Response,
            routing::{any, get},
        },
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::timeout,
};

use super::{command, end, send};

pub const REQUESTS: usize = 200;
pub const SOCKETS: usize = 50;
pub const STUCK: usize = 20;
/// More than the system has room for.
static MUCH: [u8; 32 << 20] = [0; 32 << 20];
/// A wait for what must happen; longer is a failure.
const LONG: Duration = Duration::from_secs(60);
/// What a server says last: a close frame of two bytes, 1001.
const AWAY: [u8; 4] = [0x88, 2, 0x03, 0xe9];

/// A service whose requests are answered once it has begun to stop, and not before.
pub fn busy(drain: Duration, expected: usize) -> Service {
    let (release, here) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let arrive = move || {
        if here.fetch_add(1, Relaxed) + 1 == expected {
            println!("running");
        }
    };
    let (waits, slow, held, much) = (release.clone(), arrive.clone(), arrive.clone(), arrive);
    let slow = async move || {
        let waiting = waits.notified();
        slow();
        waiting.await;
        "done"
    };
    let much = async move || {
        much();
        MUCH.as_slice()
    };
    let socket = async move |request: WebSocket| -> Response {
        request.open(async move |mut socket| {
            held();
            while socket.next().await.is_some() {}
        })
    };
    let router = Router::new().route("/slow", get(slow)).route("/much", get(much)).route("/socket", any(socket));
    let release = move |_| {
        release.notify_waiters();
        async { Ok::<_, tegami::Error>(()) }
    };
    let service = Service::new("billing").drain(drain).routes(router).stopping(release);
    service.http(|http| http.address("127.0.0.1:0").limits(|limits| limits.connections_per_address = 1000))
}

/// The service's process, where it listens, and who says that all are there.
fn listening(role: &str) -> (Child, String, JoinHandle<()>) {
    let mut child = command(role).env("TEGAMI_LOG_FORMAT", "json").spawn().expect("this binary runs");
    let mut log = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let told = log.find(|line| line.contains("service started")).expect("it starts");
    let (_, address) = told.split_once("\"routes\": \"http://").expect("where its routes are");
    let address = address.split('"').next().expect("a text").to_owned();
    std::thread::spawn(move || log.for_each(drop));
    let out = BufReader::new(child.stdout.take().expect("piped"));
    let mut lines = out.lines().map_while(Result::ok);
    let running = spawn_blocking(move || assert!(lines.any(|line| line.ends_with("running")), "all are there"));
    (child, address, running)
}

async fn asking(address: &str, path: &str, headers: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
    client.write_all(request.as_bytes()).await.expect("it is read");
    client
}

/// All there is until the server closes.
async fn rest(mut client: TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = timeout(LONG, client.read_to_end(&mut read)).await.expect("the server closes");
    read
}

/// What a WebSocket's client reads to the end, which answers the goodbye.
async fn goodbye(mut client: TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(&AWAY) {
        let more = timeout(LONG, client.read_buf(&mut read)).await.expect("in time").expect("it is not reset");
        assert!(more > 0, "closed without 1001: {read:?}");
    }
    // Masked, as a client's are.
    client.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]).await.expect("the server waits for it");
    assert!(rest(client).await.is_empty());
    read
}

/// Stops the service while all these clients are there, and has the exit code.
async fn stopped(role: &str, stuck: usize) -> Option<i32> {
    let (child, address, running) = listening(role);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let (mut requests, mut sockets, mut unread) = (JoinSet::new(), JoinSet::new(), Vec::new());
    for _ in 0..REQUESTS {
        requests.spawn(rest(asking(&address, "/slow", "").await));
    }
    for _ in 0..SOCKETS {
        sockets.spawn(goodbye(asking(&address, "/socket", upgrade).await));
    }
    for _ in 0..stuck {
        unread.push(asking(&address, "/much", "").await);
    }
    running.await.expect("all are there");
    send(&child, "-TERM");
    let refused = async { while TcpStream::connect(&address).await.is_ok() {} };
    timeout(LONG, refused).await.expect("nobody is let in any more");
    while let Some(answer) = requests.join_next().await {
        let answer = String::from_utf8(answer.expect("no panic")).expect("text");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\ndone"), "{answer}");
    }
    while let Some(read) = sockets.join_next().await {
        assert!(read.expect("no panic").starts_with(b"HTTP/1.1 101 "));
    }
    let ended = spawn_blocking(|| end(child)).await.expect("no panic");
    for client in unread {
        assert!(rest(client).await.len() < MUCH.len(), "it is cut off");
    }
    ended.0
}

fn stop(role: &str, stuck: usize) -> Option<i32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(stopped(role, stuck))
}

#[test]
fn w5_a_stop_answers_all_that_is_under_way_and_cuts_off_who_does_not_read() {
    assert_eq!(stop("busy", STUCK), Some(70));
}

#[test]
fn w5_a_stop_with_nobody_stuck_ends_with_code_zero() {
    assert_eq!(stop("patient", 0), Some(0));
}
