//! Limits on heads and connections: at the limit, and one beyond.

use std::time::Duration;

use tegami::{
    Error,
    http::{
        Limits,
        axum::{
            Router,
            body::{Body, Bytes},
            extract::Request,
            middleware::{Next, from_fn},
            routing::{any, get as on_get, post as on_post},
        },
    },
};

use crate::{
    LONG, SHORT,
    client::{Client, NOTHING, ask, get, post},
    frames::{DATA, opening, request, until},
    serve,
    sockets::{TEXT, echo, frame, next, open},
};

fn router() -> Router {
    Router::new().fallback(async || "hello").route("/", on_get(async || "hello"))
}

/// A request with so many headers beside `Host`, all of which have so many bytes in all.
fn with_headers(count: usize, bytes: usize) -> String {
    let names: Vec<String> = (0..count).map(|n| format!("x-{n:03}")).collect();
    let spare = bytes - "host".len() - "a".len() - count * 5;
    let lines = names.iter().enumerate().map(|(n, name)| {
        let share = spare / count + usize::from(n < spare % count);
        format!("{name}: {}\r\n", "v".repeat(share))
    });
    format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", lines.collect::<String>())
}

#[tokio::test]
async fn w1_heads_are_read_up_to_their_limits() -> Result<(), Error> {
    let service = serve(router(), |http| http).await?;
    let uri = |length: usize| get(&format!("/{}", "u".repeat(length - 1)));
    for (what, request, status) in [
        ("uri at the limit", uri(8 * 1024), 200),
        ("uri beyond", uri(8 * 1024 + 1), 414),
        ("uri far beyond", uri(60_000), 414),
        ("headers at the limit", with_headers(99, 4_000), 200),
        ("one more header", with_headers(100, 4_000), 431),
        ("bytes at the limit", with_headers(10, 32 * 1024), 200),
        ("one more byte", with_headers(10, 32 * 1024 + 1), 431),
        ("far more bytes", with_headers(10, 500_000), 431),
    ] {
        let mut client = Client::connect(&service).await;
        client.send(request).await;
        assert_eq!(client.answer().await.status, status, "{what}");
        if status != 200 {
            assert_eq!(client.closed().await, NOTHING, "{what}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn w1_a_connection_ends_after_its_last_request() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.keep_alive_requests = 3)).await?;
    let mut client = Client::connect(&service).await;
    for last in [None, None, Some("close")] {
        assert_eq!(client.ask(get("/")).await.header("connection"), last);
    }
    assert_eq!(client.closed().await, NOTHING);
    Ok(())
}

#[tokio::test]
async fn w1_a_connection_ends_at_its_age() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.keep_alive_time = SHORT)).await?;
    let mut client = Client::connect(&service).await;
    assert_eq!(client.ask(get("/")).await.status, 200);
    assert_eq!(client.closed().await, NOTHING);
    Ok(())
}

#[tokio::test]
async fn w1_connections_beyond_the_limit_wait_for_a_place() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.connections = 2)).await?;
    let mut held = [Client::connect(&service).await, Client::connect(&service).await];
    for client in &mut held {
        assert_eq!(client.ask(get("/")).await.status, 200);
    }
    let mut third = Client::connect(&service).await;
    third.send(get("/")).await;
    assert!(tokio::time::timeout(SHORT, third.try_answer()).await.is_err(), "there was no place");
    drop(held);
    assert_eq!(third.answer().await.status, 200);
    Ok(())
}

#[tokio::test]
async fn w1_an_address_has_so_many_connections_and_no_more() -> Result<(), Error> {
    let limit = |http: tegami::http::HttpOptions| http.limits(|limits| limits.connections_per_address = 2);
    let service = serve(router(), limit).await?;
    let mut held = [Client::connect(&service).await, Client::connect(&service).await];
    for client in &mut held {
        assert_eq!(client.ask(get("/")).await.status, 200);
    }
    let mut third = Client::connect(&service).await;
    third.send(get("/")).await;
    assert_eq!(third.closed().await, NOTHING);
    drop(held);
    // The server sees the others leave in its own time.
    loop {
        let mut next = Client::connect(&service).await;
        next.send(get("/")).await;
        if next.try_answer().await.is_some_and(|answer| answer.status == 200) {
            break;
        }
    }
    let proxied = serve(router(), move |http| limit(http).trust_proxies(["127.0.0.0/8"])).await?;
    let mut many = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(&proxied).await;
        assert_eq!(client.ask(get("/")).await.status, 200);
        many.push(client);
    }
    assert_eq!(ask(&proxied, get("/")).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn w1_a_body_comes_as_quickly_as_it_must_or_is_a_408() -> Result<(), Error> {
    let router = || Router::new().route("/", on_post(async |body: Bytes| body.len().to_string()));
    for (what, grace, rate, time, status) in [
        ("what came earns time", SHORT, 1, LONG, 200),
        ("what came earns next to none", SHORT, 1_000_000, LONG, 408),
        ("no more time than there is", LONG, 1, SHORT, 408),
        ("time that nobody needs to earn", LONG, 1_000_000, LONG, 200),
    ] {
        let limits = move |limits: &mut Limits| {
            (limits.body_grace, limits.body_rate, limits.body_time) = (grace, rate, time);
        };
        let service = serve(router(), move |http| http.limits(limits)).await?;
        let mut client = Client::connect(&service).await;
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n").await;
        client.send([b'a'; 1000]).await;
        tokio::time::sleep(3 * SHORT).await;
        client.send("a").await;
        assert_eq!(client.answer().await.status, status, "{what}");
    }
    Ok(())
}

/// Makes a body of so many bytes out of one that says how many, as a layer that decompresses does.
async fn inflate(request: Request, next: Next) -> tegami::http::axum::response::Response {
    let (parts, _) = request.into_parts();
    let length = parts.uri.path()[1..].parse().expect("a number");
    next.run(Request::from_parts(parts, Body::from(vec![0; length]))).await
}

#[tokio::test]
async fn w1_a_body_is_decompressed_up_to_its_limit() -> Result<(), Error> {
    const LIMIT: usize = 8 * 1024 * 1024;
    let length = async |body: Bytes| body.len().to_string();
    let router = || Router::new().fallback(length).layer(from_fn(inflate));
    let service = serve(router(), |http| http).await?;
    assert_eq!(ask(&service, get(&format!("/{LIMIT}"))).await.text(), LIMIT.to_string());
    assert_eq!(ask(&service, get(&format!("/{}", LIMIT + 1))).await.status, 413);
    let service = serve(router(), |http| http.limits(|limits| (limits.body, limits.decoded_body) = (100, 10))).await?;
    assert_eq!(ask(&service, get("/100")).await.text(), "100", "never less than what may come over the line");
    assert_eq!(ask(&service, get("/101")).await.status, 413);
    Ok(())
}

type Set = fn(&mut Limits);

/// Each limit that is a number, and the time that HTTP/2 is told, as high as they go.
const HIGHEST: [(&str, Set); 18] = [
    ("uri", |limits| limits.uri = usize::MAX),
    ("headers", |limits| limits.headers = usize::MAX),
    ("header_bytes", |limits| limits.header_bytes = usize::MAX),
    ("body", |limits| limits.body = u64::MAX),
    ("decoded_body", |limits| limits.decoded_body = usize::MAX),
    ("body_rate", |limits| limits.body_rate = u32::MAX),
    ("requests", |limits| limits.requests = usize::MAX),
    ("connections", |limits| limits.connections = usize::MAX),
    ("connections_per_address", |limits| limits.connections_per_address = usize::MAX),
    ("keep_alive_requests", |limits| limits.keep_alive_requests = u64::MAX),
    ("streams", |limits| limits.streams = u32::MAX),
    ("pending_resets", |limits| limits.pending_resets = usize::MAX),
    ("error_resets", |limits| limits.error_resets = usize::MAX),
    ("ping", |limits| limits.ping = Duration::MAX),
    ("socket_message", |limits| limits.socket_message = usize::MAX),
    ("socket_frame", |limits| limits.socket_frame = usize::MAX),
    ("socket_buffer", |limits| limits.socket_buffer = usize::MAX),
    ("socket_rate", |limits| limits.socket_rate = u32::MAX),
];

/// Is a client served that stays far below all limits?
async fn serves(what: &str, limits: impl FnOnce(&mut Limits) + Send + 'static) -> Result<(), Error> {
    let router = router().route("/read", on_post(async |body: Bytes| body)).route("/echo", any(echo));
    let service = serve(router, |http| http.limits(limits)).await?;
    assert_eq!(ask(&service, post("/read", "", "hello")).await.text(), "hello", "{what}");
    let mut client = Client::connect(&service).await;
    client.send([opening(), request(1)].concat()).await;
    assert_eq!(until(&mut client, DATA).await, Some((1, b"hello".to_vec())), "{what}");
    let mut client = open(&service, "/echo").await;
    client.send(frame(TEXT, b"hello")).await;
    assert_eq!(next(&mut client).await, Some((TEXT, b"hello".to_vec())), "{what}");
    Ok(())
}

#[tokio::test]
async fn w1_limits_may_be_as_high_as_they_go() -> Result<(), Error> {
    for (what, set) in HIGHEST {
        serves(what, set).await?;
    }
    serves("all of them", |limits| HIGHEST.iter().for_each(|(_, set)| set(limits))).await
}

#[tokio::test]
async fn w1_a_head_has_as_many_headers_as_there_is_room_for_and_no_more() -> Result<(), Error> {
    let limits = |limits: &mut Limits| (limits.headers, limits.header_bytes) = (usize::MAX, usize::MAX);
    let service = serve(router(), move |http| http.limits(limits)).await?;
    // Two of them are `Host` and `Connection`.
    for (count, status) in [(24_576, 200), (24_577, 431)] {
        let others: String = (2..count).map(|n| format!("x-{n}: y\r\n")).collect();
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{others}\r\n");
        assert_eq!(ask(&service, request).await.status, status, "{count}");
    }
    Ok(())
}
