//! HTTP/2, frame by frame.

use futures_util::{StreamExt, stream};
use tegami::{
    Error,
    http::axum::{
        Router,
        body::{Body, Bytes},
        routing::get as on_get,
    },
};

use crate::{SHORT, client::Client, serve};

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
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

/// The frames until one of this kind comes, that one too; none if the connection ends first.
pub async fn until(client: &mut Client, kind: u8) -> Option<(u32, Vec<u8>)> {
    loop {
        let head = client.bytes(9).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let payload = client.bytes(length).await?;
        if head[3] == kind {
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
