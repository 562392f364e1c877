//! Limits of time that are none: whoever takes for ever is served.

use axum::{body::Bytes, routing::post};

use super::*;

/// So long that whoever it is waited for comes no more.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// More than waits to be read.
const MUCH: usize = 1024 * 1024;

fn times(limits: &mut Limits) -> [&mut Duration; 11] {
    [
        &mut limits.first_byte,
        &mut limits.head,
        &mut limits.idle,
        &mut limits.write,
        &mut limits.handshake,
        &mut limits.body_time,
        &mut limits.body_grace,
        &mut limits.handler,
        &mut limits.keep_alive_time,
        &mut limits.ping,
        &mut limits.socket_idle,
    ]
}

/// A client that takes so long with all that it does, and has to be served by a handler that does the same.
async fn dawdle(limits: impl Fn(&mut Limits), wait: Duration) {
    let slow = async move || {
        sleep(wait).await;
        "hello"
    };
    let router = router().route("/slow", get(slow)).route("/read", post(async |_: Bytes| "hello"));
    let shared = shared(router.route("/much", get(async || vec![0; MUCH])), &limits, None);
    let mut client = connect(&shared, 16 * 1024).await;
    for part in [&REQUEST[..5], &REQUEST[5..10]] {
        sleep(wait).await;
        client.write_all(part).await.expect("it is open");
    }
    sleep(wait).await;
    assert_eq!(ask(&mut client, &REQUEST[10..]).await, Some(200), "a head");
    sleep(wait).await;
    assert_eq!(ask(&mut client, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await, Some(200), "a handler");
    client.write_all(b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na").await.expect("it is open");
    sleep(wait).await;
    assert_eq!(ask(&mut client, b"b").await, Some(200), "a body");
    client.write_all(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("it is open");
    sleep(wait).await;
    client.read_exact(&mut vec![0; MUCH]).await.expect("an answer");
    let mut socket = sockets::open(limits).await;
    for _ in 0..2 {
        sleep(wait).await;
        socket.write_all(sockets::TEXT).await.expect("it is open");
        assert_eq!(sockets::next(&mut socket).await.0, sockets::ECHO, "a socket");
    }
}

#[tokio::test(start_paused = true)]
async fn w1_the_longest_time_never_ends() {
    dawdle(|limits| times(limits).into_iter().for_each(|time| *time = Duration::MAX), YEAR).await;
}

#[tokio::test(start_paused = true)]
async fn w1_each_limit_of_time_may_be_the_longest_beside_others_that_are_not() {
    for longest in [Duration::MAX, Duration::MAX / 2, Duration::from_secs(u64::MAX / 2)] {
        for which in 0..11 {
            let one = |limits: &mut Limits| {
                times(limits).into_iter().for_each(|time| *time = FAR);
                *times(limits)[which] = longest;
            };
            dawdle(one, LIMIT).await;
        }
    }
}
