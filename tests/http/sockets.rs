//! WebSockets, frame by frame.

use std::time::Duration;

use tegami::{
    Error, Service,
    http::{
        Frame, HttpOptions, WebSocket,
        axum::{Router, response::Response, routing::any},
    },
    service::{Ended, Running},
    transport::Memory,
};

use crate::{SHORT, client::Client, contracts::shop::orders::v1::OrderPaid};

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

pub async fn echo(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        while let Some(frame) = socket.next().await {
            if socket.send(frame).await.is_err() {
                break;
            }
        }
    })
}

/// Tells each order's id, or that it is none; ends after two.
async fn orders(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        for _ in 0..2 {
            let Some(order) = socket.next_event::<OrderPaid>().await else { return };
            let told = match order {
                Ok(order) => socket.send_event(&order).await,
                Err(_) => socket.send(Frame::Text("no order".to_owned())).await,
            };
            told.expect("it is open");
        }
    })
}

async fn panics(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        socket.send(Frame::Text("ready".to_owned())).await.expect("it is open");
        socket.next().await;
        panic!("the password is tiger")
    })
}

pub async fn serve(choose: impl FnOnce(HttpOptions) -> HttpOptions + Send + 'static) -> Result<Running, Error> {
    let router = Router::new().route("/echo", any(echo)).route("/orders", any(orders)).route("/panics", any(panics));
    crate::serve(router, choose).await
}

pub fn upgrade(path: &str, headers: &str) -> String {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n{headers}\r\n")
}

pub async fn open(service: &Running, path: &str) -> Client {
    let mut client = Client::connect(service).await;
    assert_eq!(client.head(upgrade(path, "")).await, 101);
    client
}

/// A client's frame, masked with zeros.
pub fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = match payload.len() {
        short @ 0..126 => vec![0x80 | short as u8],
        middle @ 126..=0xffff => [&[0xfe], &(middle as u16).to_be_bytes()[..]].concat(),
        long => [&[0xff], &(long as u64).to_be_bytes()[..]].concat(),
    };
    [&[kind], &length[..], &[0; 4], payload].concat()
}

/// The next frame from the server.
pub async fn next(client: &mut Client) -> Option<(u8, Vec<u8>)> {
    let head = client.bytes(2).await?;
    let length = match head[1] {
        126 => client.bytes(2).await?.into_iter().fold(0, |sum, byte| sum << 8 | usize::from(byte)),
        127 => client.bytes(8).await?.into_iter().fold(0, |sum, byte| sum << 8 | usize::from(byte)),
        short => short.into(),
    };
    Some((head[0], client.bytes(length).await?))
}

/// The code that the server closes with.
pub async fn close_code(client: &mut Client) -> Option<u16> {
    loop {
        let (kind, payload) = next(client).await?;
        if kind == CLOSE {
            return Some(u16::from_be_bytes([payload[0], payload[1]]));
        }
    }
}

#[tokio::test]
async fn text_bytes_and_events_travel_both_ways() -> Result<(), Error> {
    let service = serve(|http| http).await?;
    let mut client = open(&service, "/echo").await;
    for kind in [TEXT, BINARY] {
        client.send(frame(kind, b"hello")).await;
        assert_eq!(next(&mut client).await, Some((kind, b"hello".to_vec())));
    }
    let mut client = open(&service, "/orders").await;
    client.send(frame(BINARY, b"\x0a\x03o-1")).await;
    let (kind, text) = next(&mut client).await.expect("an answer");
    assert!(kind == TEXT && String::from_utf8_lossy(&text).contains("o-1"), "{text:?}");
    client.send(frame(TEXT, b"{")).await;
    assert_eq!(next(&mut client).await, Some((TEXT, b"no order".to_vec())));
    assert_eq!(close_code(&mut client).await, Some(1000), "the handler has ended");
    Ok(())
}

#[tokio::test]
async fn w1_a_foreign_origin_opens_no_socket() -> Result<(), Error> {
    let service = serve(|http| http.allow_origins(["https://shop.example"])).await?;
    for (origin, status) in [
        ("http://a", 101),
        ("https://shop.example", 101),
        ("https://evil.example", 403),
        ("http://a.evil.example", 403),
        ("http://b:80", 403),
        ("null", 403),
        ("", 403),
    ] {
        let mut client = Client::connect(&service).await;
        assert_eq!(client.head(upgrade("/echo", &format!("Origin: {origin}\r\n"))).await, status, "{origin}");
    }
    Ok(())
}

#[tokio::test]
async fn w1_messages_are_taken_up_to_their_limits() -> Result<(), Error> {
    let service = serve(|http| {
        http.limits(|limits| (limits.socket_frame, limits.socket_message, limits.socket_rate) = (1000, 1500, 5))
    })
    .await?;
    let mut client = open(&service, "/echo").await;
    client.send(frame(TEXT, &[b'a'; 1000])).await;
    assert_eq!(next(&mut client).await.map(|(_, payload)| payload.len()), Some(1000));
    client.send(frame(TEXT, &[b'a'; 1001])).await;
    assert_eq!(close_code(&mut client).await, Some(1009));
    for (second, expected) in [(500, None), (501, Some(1009))] {
        let mut client = open(&service, "/echo").await;
        client.send([frame(0x01, &[b'a'; 1000]), frame(0x80, &vec![b'a'; second])].concat()).await;
        if expected.is_some() {
            assert_eq!(close_code(&mut client).await, expected);
        } else {
            assert_eq!(next(&mut client).await.map(|(_, payload)| payload.len()), Some(1500));
        }
    }
    let mut client = open(&service, "/echo").await;
    client.send(frame(TEXT, b"a").repeat(5)).await;
    for _ in 0..5 {
        assert_eq!(next(&mut client).await, Some((TEXT, b"a".to_vec())));
    }
    for kind in [TEXT, PING, PONG] {
        let mut client = open(&service, "/echo").await;
        client.send(frame(kind, b"a").repeat(6)).await;
        assert_eq!(close_code(&mut client).await, Some(1008), "{kind:x}");
    }
    Ok(())
}

#[tokio::test]
async fn w7_a_panic_closes_the_socket_with_1011_and_no_text() -> Result<(), Error> {
    let service = serve(|http| http).await?;
    let mut client = open(&service, "/panics").await;
    assert_eq!(next(&mut client).await, Some((TEXT, b"ready".to_vec())));
    client.send(frame(TEXT, b"go")).await;
    assert_eq!(next(&mut client).await, Some((CLOSE, 1011_u16.to_be_bytes().to_vec())));
    Ok(())
}

#[tokio::test]
async fn w1_a_silent_client_is_asked_and_let_go() -> Result<(), Error> {
    let service = serve(|http| http.limits(|limits| limits.ping = SHORT)).await?;
    let mut client = open(&service, "/echo").await;
    assert_eq!(next(&mut client).await, Some((PING, vec![])));
    assert_eq!(close_code(&mut client).await, None, "it never answered");
    let service = serve(|http| http.limits(|limits| limits.socket_idle = SHORT)).await?;
    assert_eq!(close_code(&mut open(&service, "/echo").await).await, Some(1000));
    Ok(())
}

#[tokio::test]
async fn s4_open_sockets_are_told_1001_at_the_stop() -> Result<(), Error> {
    let router = Router::new().route("/echo", any(echo));
    let service = Service::new("billing").transport(Memory::new()).routes(router).drain(Duration::from_secs(10));
    let service = service.http(|http| http.address("127.0.0.1:0")).start().await?;
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut client = open(&service, "/echo").await;
        client.send(frame(TEXT, b"hello")).await;
        assert!(next(&mut client).await.is_some());
        clients.push(client);
    }
    let stopping = tokio::spawn(service.stop());
    for mut client in clients {
        assert_eq!(close_code(&mut client).await, Some(1001));
    }
    assert_eq!(stopping.await.expect("no panic")?, Ended::Drained);
    Ok(())
}
