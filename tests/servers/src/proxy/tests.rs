//! Each fault against a server that says everything back.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use super::*;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);
/// What does not come in this time does not come.
const SHORT: Duration = Duration::from_millis(200);

async fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
            });
        }
    });
    address
}

async fn proxied() -> (Proxy, TcpStream) {
    let proxy = Proxy::to(echo().await, 7).await.unwrap();
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    (proxy, client)
}

/// Sends this and reads as much; how it went.
async fn ask(client: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
    client.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    timeout(LONG, client.read_exact(&mut answer)).await.expect("an answer or an error")?;
    Ok(answer)
}

async fn is_silent(client: &mut TcpStream) -> bool {
    timeout(SHORT, client.read(&mut [0])).await.is_err()
}

#[tokio::test]
async fn without_a_fault_everything_passes_and_is_counted() {
    let (proxy, mut client) = proxied().await;
    let large: Vec<u8> = (0..1_000_000).map(|n| n as u8).collect();
    let (mut from, mut to) = client.split();
    let mut back = vec![0; large.len()];
    let (sent, read) = tokio::join!(to.write_all(&large), from.read_exact(&mut back));
    sent.and(read).unwrap();
    assert!(back == large);
    let counts = proxy.counts();
    assert_eq!((counts.connections, counts.up, counts.down), (1, 1_000_000, 1_000_000));
}

#[tokio::test]
async fn an_end_in_good_order_is_handed_on() {
    let (proxy, mut client) = proxied().await;
    client.write_all(b"last").await.unwrap();
    client.shutdown().await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!((rest, proxy.counts().resets), (b"last".to_vec(), 0));
}

#[tokio::test]
async fn what_is_delayed_arrives_later() {
    let (proxy, mut client) = proxied().await;
    let jitter = Duration::from_millis(20);
    proxy.put(Way::Down, Fault::Delay { by: Duration::from_millis(100), jitter });
    let began = Instant::now();
    assert_eq!(ask(&mut client, b"hello").await.unwrap(), b"hello");
    assert!(began.elapsed() >= Duration::from_millis(80), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_rate_is_kept() {
    let (proxy, mut client) = proxied().await;
    proxy.put(Way::Up, Fault::Rate(10_000));
    let began = Instant::now();
    assert_eq!(ask(&mut client, &[7; 3_000]).await.unwrap(), [7; 3_000]);
    assert!(began.elapsed() >= Duration::from_millis(290), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_is_stalled_arrives_once_that_is_lifted() {
    let (proxy, mut client) = proxied().await;
    proxy.put(Way::Down, Fault::Stall);
    client.write_all(b"hello").await.unwrap();
    assert!(is_silent(&mut client).await);
    proxy.lift();
    assert_eq!(ask(&mut client, b"again").await.unwrap(), b"hello");
}

#[tokio::test]
async fn what_is_swallowed_never_arrives() {
    let (proxy, mut client) = proxied().await;
    proxy.put(Way::Up, Fault::Swallow);
    client.write_all(b"hello").await.unwrap();
    assert!(is_silent(&mut client).await);
    proxy.lift();
    assert_eq!(ask(&mut client, b"again").await.unwrap(), b"again");
    assert_eq!(proxy.counts().swallowed, 5);
}

#[tokio::test]
async fn one_way_can_end_alone() {
    let (proxy, mut client) = proxied().await;
    ask(&mut client, b"hello").await.unwrap();
    proxy.put(Way::Down, Fault::HalfClose);
    assert_eq!(timeout(LONG, client.read(&mut [0])).await.unwrap().unwrap(), 0);
    client.write_all(b"still here").await.unwrap();
    while proxy.counts().up < 15 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cut_comes_after_so_many_bytes_and_once() {
    let (proxy, mut client) = proxied().await;
    proxy.put(Way::Down, Fault::CutAfter(8));
    assert_eq!(ask(&mut client, b"hello").await.unwrap(), b"hello");
    assert_eq!(ask(&mut client, b"hello").await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!((proxy.counts().down, proxy.counts().resets), (8, 1));
    let mut next = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut next, b"hello again").await.unwrap(), b"hello again");
}

#[tokio::test]
async fn one_bit_of_one_byte_is_flipped() {
    let (proxy, mut client) = proxied().await;
    proxy.put(Way::Up, Fault::FlipAfter(6));
    assert_eq!(ask(&mut client, b"hello").await.unwrap(), b"hello");
    assert_eq!(ask(&mut client, b"hello").await.unwrap(), b"hdllo");
    assert_eq!(ask(&mut client, b"hello").await.unwrap(), b"hello");
    assert_eq!(proxy.counts().flipped, 1);
}

#[tokio::test]
async fn every_connection_can_be_reset() {
    let (proxy, mut client) = proxied().await;
    let mut other = TcpStream::connect(proxy.address()).await.unwrap();
    for client in [&mut client, &mut other] {
        ask(client, b"hello").await.unwrap();
    }
    proxy.reset();
    for client in [&mut client, &mut other] {
        let end = timeout(LONG, client.read(&mut [0])).await.unwrap();
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    assert_eq!(proxy.counts().resets, 2);
}

#[tokio::test]
async fn new_connections_can_be_refused_and_let_in_again() {
    let (proxy, mut client) = proxied().await;
    ask(&mut client, b"hello").await.unwrap();
    proxy.refuse();
    while TcpStream::connect(proxy.address()).await.is_ok() {}
    assert_eq!(ask(&mut client, b"the open one stays").await.unwrap(), b"the open one stays");
    proxy.lift();
    while TcpStream::connect(proxy.address()).await.is_err() {}
}

#[tokio::test]
async fn new_connections_can_be_met_with_silence() {
    let (proxy, mut client) = proxied().await;
    ask(&mut client, b"hello").await.unwrap();
    proxy.silence();
    let mut late = TcpStream::connect(proxy.address()).await.unwrap();
    late.write_all(b"hello").await.unwrap();
    assert!(is_silent(&mut late).await);
    assert_eq!((proxy.counts().connections, proxy.counts().silenced), (1, 1));
}
