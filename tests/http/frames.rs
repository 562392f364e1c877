//! HTTP/2, frame by frame.

use futures_util::{StreamExt, stream};
use tegami::{
    Error,
    http::axum::{
        Router,
        body::{Body, Bytes},
        routing::{get as on_get, post as on_post},
    },
};

use crate::{SHORT, client::Client, serve};

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const SETTINGS: u8 = 4;
pub const RESET: u8 = 3;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
/// `POST http://a/` in HPACK.
pub const POST: &[u8] = b"\x83\x86\x84\x41\x01a";
/// `GET http://a/` in HPACK.
pub const REQUEST: &[u8] = b"\x82\x86\x84\x41\x01a";

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A whole request.
pub fn request(stream: u32) -> Vec<u8> {
    frame(HEADERS, 0x5, stream, REQUEST)
}

pub fn opening() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// The next frame: its kind, its stream, what it says; none at the end of the connection.
pub async fn next(client: &mut Client) -> Option<(u8, u32, Vec<u8>)> {
    let head = client.bytes(9).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Some((head[3], stream, client.bytes(length).await?))
}

/// The frames until one of this kind comes, that one too; none if the connection ends first.
pub async fn until(client: &mut Client, kind: u8) -> Option<(u32, Vec<u8>)> {
    loop {
        let (next, stream, payload) = next(client).await?;
        if next == kind {
            return Some((stream, payload));
        }
    }
}

fn router() -> Router {
    Router::new().route("/", on_get(async || "hello"))
}

#[tokio::test]
async fn http2_is_spoken_on_the_same_port() -> Result<(), Error> {
    let service = serve(router(), |http| http).await?;
    let mut client = Client::connect(&service).await;
    client.send([opening(), request(1)].concat()).await;
    let (_, settings) = until(&mut client, SETTINGS).await.expect("its settings");
    let streams = settings.chunks(6).find(|pair| pair[1] == 3).map(|pair| pair[2..].to_vec());
    assert_eq!(streams, Some(100_u32.to_be_bytes().to_vec()));
    assert_eq!(until(&mut client, DATA).await, Some((1, b"hello".to_vec())));
    Ok(())
}

#[tokio::test]
async fn w1_http2_connections_end_after_their_last_request_and_when_idle() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.keep_alive_requests = 2)).await?;
    let mut client = Client::connect(&service).await;
    client.send([opening(), request(1)].concat()).await;
    assert!(until(&mut client, DATA).await.is_some());
    client.send(request(3)).await;
    assert!(until(&mut client, GOAWAY).await.is_some());
    let service = serve(router(), |http| http.limits(|limits| limits.idle = SHORT)).await?;
    let mut client = Client::connect(&service).await;
    client.send([opening(), request(1)].concat()).await;
    assert!(until(&mut client, DATA).await.is_some());
    assert_eq!(until(&mut client, u8::MAX).await, None, "it is closed");
    Ok(())
}

#[tokio::test]
async fn w6_a_client_that_makes_no_room_for_its_answers_is_let_go() -> Result<(), Error> {
    let parts = || stream::repeat(Bytes::from_static(&[0; 1 << 14])).take(1 << 10).map(Ok::<_, std::io::Error>);
    let router = Router::new().route("/", on_get(async move || Body::from_stream(parts())));
    let service = serve(router, |http| http.limits(|limits| limits.write = SHORT)).await?;
    let mut client = Client::connect(&service).await;
    client.send([opening(), request(1)].concat()).await;
    assert_eq!(until(&mut client, u8::MAX).await, None, "it is closed, and never made room");
    Ok(())
}

#[tokio::test]
async fn w6_a_client_that_never_had_room_is_let_go() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.write = SHORT)).await?;
    let mut client = Client::connect(&service).await;
    let no_window = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    client.send([PREFACE, &no_window, &request(1)].concat()).await;
    assert_eq!(until(&mut client, u8::MAX).await, None, "it is closed, and not a byte of its answer went out");
    Ok(())
}

/// A header that is in no table, but for the name of one that is; as HPACK has it.
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = value.len() - 127;
    let length = [0x7f, 0x80 | (rest & 0x7f) as u8, (rest >> 7) as u8];
    assert!(rest >> 7 < 128, "two bytes are enough for it");
    [name, &length, value].concat()
}

/// Is the first answer of a connection, to this head, 200?
async fn is_well(service: &tegami::service::Running, head: &[u8]) -> bool {
    let mut client = Client::connect(service).await;
    client.send([opening(), frame(HEADERS, 0x5, 1, head)].concat()).await;
    // 200 is in HPACK's table, and all that could be said of it.
    until(&mut client, HEADERS).await.expect("an answer").1.starts_with(b"\x88")
}

#[tokio::test]
async fn w1_http2_heads_are_read_up_to_their_limits() -> Result<(), Error> {
    let service = serve(Router::new().fallback(async || "hello"), |http| http).await?;
    for (length, expected) in [(8 * 1024, true), (8 * 1024 + 1, false)] {
        let path = [b"/".as_slice(), &vec![b'u'; length - 1]].concat();
        let head = [b"\x82\x86".as_slice(), &literal(b"\x04", &path), b"\x41\x01a"].concat();
        assert_eq!(is_well(&service, &head).await, expected, "a target of {length}");
    }
    // RFC 9113, 6.5.2: names, values, and 32 for each; `:method`, `:scheme`, `:path` and `:authority` are four. h2 takes what
    // is less than the limit.
    let others = 7 + 3 + 7 + 4 + 5 + 1 + 10 + 1 + 4 * 32;
    for (list, expected) in [(16 * 1024 - 1, true), (16 * 1024, false)] {
        let value = vec![b'v'; list - others - 33];
        let head = [REQUEST, &literal(b"\x00\x01x", &value)].concat();
        assert_eq!(is_well(&service, &head).await, expected, "a list of {list}");
    }
    for (headers, expected) in [(100, true), (101, false)] {
        let head = [REQUEST, &b"\x00\x01x\x01v".repeat(headers)].concat();
        assert_eq!(is_well(&service, &head).await, expected, "{headers} headers");
    }
    Ok(())
}

#[tokio::test]
async fn w1_http2_has_so_many_requests_at_once_and_refuses_one_more() -> Result<(), Error> {
    let router = Router::new().route("/", on_post(async |body: Bytes| body.len().to_string()));
    let service = serve(router, |http| http.limits(|limits| limits.streams = 2)).await?;
    let mut client = Client::connect(&service).await;
    // Whoever has seen the settings knows the limit; who has not is not at fault.
    client.send([opening(), frame(SETTINGS, 1, 0, &[])].concat()).await;
    assert!(until(&mut client, SETTINGS).await.is_some());
    for stream in [1, 3, 5] {
        client.send(frame(HEADERS, 0x4, stream, POST)).await;
    }
    let refused = 7_u32.to_be_bytes().to_vec();
    assert_eq!(until(&mut client, RESET).await, Some((5, refused)));
    for stream in [1, 3] {
        client.send(frame(DATA, 0x1, stream, b"body")).await;
        assert_eq!(until(&mut client, DATA).await, Some((stream, b"4".to_vec())));
    }
    Ok(())
}

#[tokio::test]
async fn w1_http2_asks_who_says_nothing_whether_it_is_there() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.ping = SHORT)).await?;
    let mut silent = Client::connect(&service).await;
    silent.send([opening(), frame(HEADERS, 0x4, 1, POST)].concat()).await;
    let mut there = Client::connect(&service).await;
    there.send(opening()).await;
    for _ in 0..5 {
        let (_, asked) = until(&mut there, PING).await.expect("it is asked again and again");
        there.send(frame(PING, 1, 0, &asked)).await;
    }
    there.send(request(1)).await;
    assert_eq!(until(&mut there, DATA).await, Some((1, b"hello".to_vec())), "who answers is kept");
    assert_eq!(until(&mut silent, u8::MAX).await, None, "who does not is let go");
    Ok(())
}
