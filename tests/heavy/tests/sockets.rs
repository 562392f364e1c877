//! WebSockets of another library's clients.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tegami::{
    Error, Service,
    http::{
        WebSocket,
        axum::{Router, response::Response, routing::any},
    },
    service::Running,
    transport::Memory,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// How often a client is asked; it has twice that.
const PING: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(60);

async fn echo(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        while let Some(frame) = socket.next().await {
            if socket.send(frame).await.is_err() {
                break;
            }
        }
    })
}

async fn open(service: &Running) -> WebSocketStream<TcpStream> {
    let address = service.http_address().expect("it has routes");
    let tcp = TcpStream::connect(address).await.expect("it listens");
    client_async(format!("ws://{address}/"), tcp).await.expect("a handshake").0
}

/// The messages of a client that reads, and so answers pings, until it was asked so often.
async fn attentive(service: &Running, pings: usize) -> WebSocketStream<TcpStream> {
    let mut client = open(service).await;
    for _ in 0..pings {
        let message = timeout(LONG, client.next()).await.expect("in time").expect("it is open").expect("a message");
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
        client.flush().await.expect("it is open");
    }
    client
}

#[tokio::test]
async fn w1_a_client_that_answers_pings_is_kept_and_one_that_does_not_is_let_go() -> Result<(), Error> {
    let router = Router::new().route("/", any(echo));
    let service = Service::new("billing").transport(Memory::new()).routes(router);
    let service = service.http(|http| http.address("127.0.0.1:0").limits(|limits| limits.ping = PING)).start().await?;
    // It never looks at what comes, so it never answers.
    let absent = open(&service).await.into_inner();
    // Three pings, and the time of the fourth: longer than anybody may be silent.
    let mut there = attentive(&service, 3).await;
    there.send(Message::text("hello")).await.expect("it is open");
    assert_eq!(
        timeout(LONG, there.next()).await.expect("in time").expect("it is open").expect("a message"),
        Message::text("hello")
    );
    let mut space = [0; 64];
    let gone = async {
        loop {
            absent.readable().await.expect("a socket");
            match absent.try_read(&mut space) {
                Ok(0) => return,
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    };
    timeout(LONG, gone).await.expect("it is let go");
    there.close(None).await.expect("it is open");
    Ok(())
}
