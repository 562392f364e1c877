//! The stop: what runs ends, what waits is let go, and nobody can hold the exit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tegami::{
    Error, Service,
    http::axum::{Router, routing::get as on_get},
    service::Ended,
    transport::Memory,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use crate::{
    client::{Client, NOTHING, get},
    frames::{GOAWAY, opening, request, until},
    serve,
};

const DRAIN: Duration = Duration::from_millis(300);
/// How long a stop may take after its drain time (S1), with five seconds for a busy machine.
const AFTER_DRAIN: Duration = Duration::from_secs(10 + 5);

#[tokio::test]
async fn w5_running_requests_finish_and_idle_connections_close() -> Result<(), Error> {
    let (begins, mut begun) = mpsc::channel(256);
    let end = Arc::new(Semaphore::new(0));
    let ends = end.clone();
    let slow = async move || {
        begins.send(()).await.expect("the test waits");
        ends.acquire().await.expect("it is never closed").forget();
        "done"
    };
    let router = Router::new().route("/slow", on_get(slow)).route("/", on_get(async || "hello"));
    let service = serve(router, |http| http.limits(|limits| limits.connections_per_address = 1000)).await?;
    let address = service.http_address().expect("it has routes");
    let mut idle = Client::connect(&service).await;
    assert_eq!(idle.ask(get("/")).await.status, 200);
    let mut partial = Client::connect(&service).await;
    partial.send("GET / HTTP/1.1\r\n").await;
    let mut running = JoinSet::new();
    for _ in 0..200 {
        let mut client = Client::connect(&service).await;
        client.send(get("/slow")).await;
        running.spawn(async move { (client.answer().await, client.closed().await) });
    }
    for _ in 0..200 {
        begun.recv().await.expect("it is handled");
    }
    let stopping = tokio::spawn(service.stop());
    assert_eq!(idle.closed().await, NOTHING);
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    partial.send("Host: a\r\n\r\n").await;
    let late = partial.answer().await;
    assert_eq!((late.status, late.header("connection")), (503, Some("close")));
    end.add_permits(200);
    while let Some(ended) = running.join_next().await {
        let (answer, more) = ended.expect("no panic");
        assert_eq!((answer.text().as_str(), answer.header("connection")), ("done", Some("close")));
        assert_eq!(more, NOTHING);
    }
    assert_eq!(stopping.await.expect("no panic")?, Ended::Drained);
    Ok(())
}

#[tokio::test]
async fn s4_a_client_that_stops_reading_cannot_hold_the_exit() -> Result<(), Error> {
    let served = Arc::new(AtomicUsize::new(0));
    let counts = served.clone();
    let much = async move || {
        counts.fetch_add(1, Relaxed);
        vec![0_u8; 32 * 1024 * 1024]
    };
    let service = Service::new("billing").transport(Memory::new()).routes(Router::new().route("/", on_get(much)));
    let service = service.drain(DRAIN).http(|http| http.address("127.0.0.1:0")).start().await?;
    let mut stuck = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(&service).await;
        client.send(get("/")).await;
        stuck.push(client);
    }
    while served.load(Relaxed) < 20 {
        tokio::task::yield_now().await;
    }
    let ended = tokio::time::timeout(DRAIN + AFTER_DRAIN, service.stop()).await.expect("nobody holds it")?;
    assert_eq!(ended, Ended::Forced);
    Ok(())
}

#[tokio::test]
async fn s4_requests_of_http2_that_never_end_cannot_hold_the_exit() -> Result<(), Error> {
    let (begins, mut begun) = mpsc::channel(8);
    let never = async move || {
        begins.send(()).await.expect("the test waits");
        std::future::pending::<()>().await;
    };
    let service = Service::new("billing").transport(Memory::new()).routes(Router::new().route("/", on_get(never)));
    let service = service.drain(DRAIN).http(|http| http.address("127.0.0.1:0")).start().await?;
    let mut client = Client::connect(&service).await;
    client.send([opening(), request(1), request(3)].concat()).await;
    for _ in 0..2 {
        begun.recv().await.expect("it is handled");
    }
    let stopping = tokio::spawn(service.stop());
    assert!(until(&mut client, GOAWAY).await.is_some(), "no more are taken");
    let ended = tokio::time::timeout(Duration::from_secs(5), stopping).await.expect("before handlers are given up");
    assert_eq!(ended.expect("no panic")?, Ended::Forced);
    Ok(())
}
