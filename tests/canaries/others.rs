//! What a service does beside its handlers, with a secret wherever it takes one: frames, runs, figures, pages.

use std::{net::SocketAddr, sync::Arc};

use tegami::{
    Event, HandlerError,
    error::BoxError,
    http::{WebSocket, axum::response::Response},
    schedule::{OnTick, Tick},
    telemetry::Otlp,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::{
    canary,
    life::{App, tell},
};
use crate::contracts::shop::{customers::v1::CustomerRegistered, orders::v1::OrderPaid};

/// Sends to a collector that lets nobody in.
pub async fn collected() -> Result<Otlp, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let otlp = Otlp::to(&format!("http://{}", listener.local_addr()?), "billing")?;
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let read = client.read(&mut head).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
            if head.contains(&format!("authorization: bearer {}", canary(40))) {
                tell("the collector was shown its secret");
            }
            let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            client.write_all(answer.as_bytes()).await.expect("it reads");
        }
    });
    Ok(otlp)
}

/// Runs that fail, and are noted.
pub fn failing(ran: &Arc<Notify>) -> impl OnTick<App> + use<> {
    let ran = ran.clone();
    move |_: Tick<App>| {
        ran.notify_one();
        async { Err(HandlerError::retry(format!("no bank at amqp://user:{}@host", canary(45)))) }
    }
}

/// Takes orders, and tells what is wrong with others.
pub async fn frames(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        while let Some(order) = socket.next_event::<OrderPaid>().await {
            tell(order.map(drop));
        }
    })
}

/// Frames with secrets in them; what was answered.
pub async fn framed(address: SocketAddr) -> Result<String, BoxError> {
    let mut client = TcpStream::connect(address).await?;
    let head = "GET /frames HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    client.write_all(head.as_bytes()).await?;
    let order = format!("{{\"orderId\": \"{}\", \"amountMinor\": \"{}\"}}", canary(46), canary(47));
    let close = [&1000_u16.to_be_bytes()[..], canary(50).as_bytes()].concat();
    for (kind, payload) in
        [(0x81, order.into_bytes()), (0x81, canary(48).into_bytes()), (0x82, canary(49).into_bytes()), (0x88, close)]
    {
        // The mask changes nothing.
        let length = 0x80 | u8::try_from(payload.len())?;
        client.write_all(&[&[kind, length, 0, 0, 0, 0], &payload[..]].concat()).await?;
    }
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await?;
    // The end is the client's own reason, sent back.
    let head = answer.split(|byte| *byte == 0x88).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(head).into_owned())
}

/// Tells all that the admin pages tell.
pub async fn look(address: SocketAddr) -> Result<(), BoxError> {
    let contracts =
        [OrderPaid::CONTRACT, CustomerRegistered::CONTRACT].map(|event| format!("/contracts/{}.json", event.name));
    let paths = ["/", "/catalog", "/topology", "/topology.json", "/asyncapi.json"];
    let probes = ["/health/live", "/health/ready", "/metrics"];
    for path in paths.into_iter().chain(probes).chain(contracts.iter().map(String::as_str)) {
        let mut client = TcpStream::connect(address).await?;
        client.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        client.read_to_string(&mut answer).await?;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        tell(answer);
    }
    Ok(())
}
