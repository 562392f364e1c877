//! Health over HTTP, through a service's whole life (S1, S5).

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use tegami::{
    Context, Error, HandlerError,
    health::Status,
    service::Ended,
    testing::transport::{Tamper, tampering},
    transport::{Memory, Provision, Topology, Transport, TransportError, TransportErrorKind},
};
use tokio::{net::TcpStream, sync::Semaphore};

use super::{ask, probe, service};
use crate::{LONG, client::get, contracts::shop::orders::v1::OrderPaid};

/// An address that nobody has, for a service that has not started to tell its own.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there is one")
}

/// A transport that is away until it is told otherwise.
#[derive(Default)]
struct Away(AtomicBool);

#[async_trait]
impl Tamper for Away {
    async fn provision(&self, topology: &Topology, mode: Provision, on: &dyn Transport) -> Result<(), TransportError> {
        match self.0.load(SeqCst) {
            true => on.provision(topology, mode).await,
            false => Err(TransportError::new(TransportErrorKind::Unreachable, "nobody answers at amqp://me:pw@host/")),
        }
    }
}

async fn until_ready(address: SocketAddr, status: u16) {
    let asking = async {
        while TcpStream::connect(address).await.is_err() || probe(address, "/health/ready").await.0 != status {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, asking).await.expect("in time");
}

#[tokio::test]
async fn n1_probes_are_answered_while_the_start_waits_for_its_broker() -> Result<(), Error> {
    let (away, address) = (Arc::new(Away::default()), free());
    let service = service().transport(tampering(Memory::new(), away.clone())).admin(address.to_string());
    let starting = tokio::spawn(service.start());
    until_ready(address, 503).await;
    let told = loop {
        let (status, health) = probe(address, "/health/ready").await;
        assert_eq!((status, health["state"].as_str()), (503, Some("starting")));
        if let Some(reason) = health["components"][0]["reason"].as_str() {
            break reason.to_owned();
        }
    };
    assert_eq!(told, "waits for it: nobody answers at amqp://me:***@host/");
    assert_eq!(probe(address, "/health/live").await.0, 200);
    away.0.store(true, SeqCst);
    let running = starting.await.expect("no panic")?;
    let (status, health) = probe(address, "/health/ready").await;
    assert_eq!((status, health["state"].as_str()), (200, Some("up")));
    running.stop().await?;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    Ok(())
}

#[tokio::test]
async fn s1_probes_are_told_of_a_drain_until_its_end() -> Result<(), Error> {
    let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (pass, begins) = (gate.clone(), begun.clone());
    let handler = move |_: OrderPaid, _: Context| {
        let (pass, begins) = (pass.clone(), begins.clone());
        async move {
            begins.add_permits(1);
            let _ = pass.acquire().await;
            Ok::<(), HandlerError>(())
        }
    };
    let running = service().on::<OrderPaid>(handler).start().await?;
    let address = running.admin_address().expect("it has one");
    let order = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(1).build();
    running.publisher().publish(&order).await.expect("somebody listens");
    let _ = begun.acquire().await;
    assert_eq!(probe(address, "/health/ready").await.0, 200);
    let stopping = tokio::spawn(running.stop());
    until_ready(address, 503).await;
    for _ in 0..20 {
        let (status, health) = probe(address, "/health/ready").await;
        assert_eq!((status, health["state"].as_str()), (503, Some("draining")));
        let states: Vec<_> = (0..2).map(|n| health["components"][n]["state"].as_str()).collect();
        assert_eq!(states, [Some("up"), Some("draining")], "the transport, and the queue");
        assert_eq!(probe(address, "/health/live").await.0, 200);
    }
    gate.add_permits(1);
    assert_eq!(stopping.await.expect("no panic")?, Ended::Drained);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    Ok(())
}

#[tokio::test]
async fn s5_a_forced_stop_is_told_to_its_end_and_no_probe_holds_it() -> Result<(), Error> {
    let begun = Arc::new(Semaphore::new(0));
    let begins = begun.clone();
    let handler = move |_: OrderPaid, _: Context| {
        begins.add_permits(1);
        std::future::pending::<Result<(), HandlerError>>()
    };
    let service = service().on::<OrderPaid>(handler).drain(Duration::from_millis(100));
    let running = service.check("hangs", async |_| std::future::pending::<Status>().await).start().await?;
    let address = running.admin_address().expect("it has one");
    let order = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(1).build();
    running.publisher().publish(&order).await.expect("somebody listens");
    let _ = begun.acquire().await;
    let stopping = tokio::spawn(running.stop());
    let mut told = 0;
    while !stopping.is_finished() {
        if let Ok(mut client) = super::Client::try_at(address).await {
            client.send(get("/health/ready")).await;
            let answer = client.try_answer().await;
            assert!(answer.as_ref().is_none_or(|answer| answer.status == 503), "{answer:?}");
            told += usize::from(answer.is_some());
        }
    }
    assert_eq!(stopping.await.expect("no panic")?, Ended::Forced);
    assert!(told > 3, "{told} probes in more than 5 s");
    Ok(())
}

#[tokio::test]
async fn s4_a_probe_under_way_is_answered_before_the_listener_closes() -> Result<(), Error> {
    let begun = Arc::new(Semaphore::new(0));
    let begins = begun.clone();
    let check = move |_| {
        begins.add_permits(1);
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Status::up()
        }
    };
    let running = service().check("slow", check).start().await?;
    let address = running.admin_address().expect("it has one");
    let probing = tokio::spawn(async move { probe(address, "/health/ready").await });
    let _ = begun.acquire().await;
    running.stop().await?;
    let (status, health) = probing.await.expect("it was answered");
    assert_eq!((status, health["state"].as_str()), (503, Some("draining")));
    Ok(())
}

#[tokio::test]
async fn a_storm_of_probes_asks_a_check_once_a_second() -> Result<(), Error> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = asked.clone();
    let check = move |_| {
        counts.fetch_add(1, SeqCst);
        async { Status::down("no disk") }
    };
    let running = service().check("disk", check).start().await?;
    let begun = std::time::Instant::now();
    let answers = join_all((0..50).map(|_| ask(&running, get("/health/ready")))).await;
    assert!(answers.iter().all(|answer| answer.status == 503));
    assert!(asked.load(SeqCst) as u64 <= 1 + begun.elapsed().as_secs());
    Ok(())
}
