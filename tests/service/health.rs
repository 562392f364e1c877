//! How a running service says it is (N5, N7, F06).

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use async_trait::async_trait;
use serde_json::json;
use tegami::{
    Context, Error, ErrorKind, HandlerError, Service,
    health::{Health, Kind, State, Status},
    service::Handle,
    testing::transport::{Tamper, tampering},
    transport::{Deliveries, Memory, QueuePlan, Transport, TransportError, TransportErrorKind},
};
use tokio::time::{Duration, sleep};

use crate::{contracts::shop::orders::v1::OrderPaid, order};

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

/// A transport that is as it is told to be.
struct Moody {
    status: Mutex<Status>,
    consumes: AtomicBool,
}

impl Moody {
    fn new() -> Arc<Self> {
        Arc::new(Self { status: Mutex::new(Status::up()), consumes: AtomicBool::new(true) })
    }

    fn says(&self, status: Status) {
        *self.status.lock().expect("one thread") = status;
    }
}

#[async_trait]
impl Tamper for Moody {
    async fn consume(&self, queue: &QueuePlan, on: &dyn Transport) -> Result<Box<dyn Deliveries>, TransportError> {
        match self.consumes.load(SeqCst) {
            true => on.consume(queue).await,
            false => Err(TransportError::new(TransportErrorKind::Unreachable, "the queue is gone").caused_by("404")),
        }
    }

    fn status(&self, _: &dyn Transport) -> Status {
        self.status.lock().expect("one thread").clone()
    }
}

fn of(health: &Health, kind: Kind) -> &Status {
    &health.components.iter().find(|component| component.kind == kind).expect("it has one").status
}

#[tokio::test(start_paused = true)]
async fn every_part_is_told_by_kind_and_name() -> Result<(), Error> {
    let service = Service::new("billing").transport(Memory::new()).attach("audit", Memory::new());
    let service = service.on::<OrderPaid>(ignore).check("disk", async |_| Status::degraded("nearly full"));
    let running = service.start().await?;
    let told = serde_json::to_value(running.health().await).expect("it has a JSON form");
    let expected = json!({
        "service": "billing",
        "state": "degraded",
        "components": [
            { "kind": "transport", "name": "memory", "state": "up" },
            { "kind": "transport", "name": "audit", "state": "up" },
            { "kind": "check", "name": "disk", "state": "degraded", "reason": "nearly full" },
            { "kind": "queue", "name": "billing-shop-orders-v1-OrderPaid", "state": "up" },
        ],
    });
    assert_eq!(told, expected);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n5_a_service_is_not_ready_while_its_transport_is_down_and_ready_while_that_is_degraded() -> Result<(), Error> {
    let moody = Moody::new();
    let running = Service::new("billing").transport(tampering(Memory::new(), moody.clone())).start().await?;
    for (status, is_ready) in [
        (Status::up(), true),
        (Status::degraded("RabbitMQ has blocked publishing"), true),
        (Status::down("nobody answers"), false),
        (Status::up(), true),
    ] {
        moody.says(status.clone());
        let health = running.health().await;
        assert_eq!((health.state, health.is_ready()), (status.state(), is_ready));
        assert_eq!(of(&health, Kind::Transport), &status);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n7_a_queue_that_cannot_be_consumed_is_down_with_its_reason_until_it_can() -> Result<(), Error> {
    let (moody, memory) = (Moody::new(), Memory::new());
    moody.consumes.store(false, SeqCst);
    let service = Service::new("billing").transport(tampering(memory.clone(), moody.clone())).on::<OrderPaid>(ignore);
    let running = service.start().await?;
    sleep(Duration::from_secs(60)).await;
    let health = running.health().await;
    assert_eq!(of(&health, Kind::Queue), &Status::down("the queue is gone: 404"));
    assert_eq!(health.state, State::Down);
    moody.consumes.store(true, SeqCst);
    running.publisher().publish(&order("o-1")).await.expect("the transport is up");
    sleep(Duration::from_secs(5)).await;
    let health = running.health().await;
    assert!(health.is_ready(), "{health:?}");
    assert_eq!(of(&health, Kind::Queue).reason(), Some("it is back; before: the queue is gone: 404"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_check_sees_the_state_and_decides_whether_the_service_is_ready() -> Result<(), Error> {
    let broken = Arc::new(AtomicBool::new(false));
    let check = async |handle: Handle<Arc<AtomicBool>>| match handle.state().load(SeqCst) {
        false => Ok(()),
        true => Err("cannot reach postgres://me:secret@host/db"),
    };
    let service = Service::new("billing").transport(Memory::new()).state(broken.clone()).check("database", check);
    let running = service.start().await?;
    assert!(running.health().await.is_ready());
    broken.store(true, SeqCst);
    assert!(running.health().await.is_ready(), "an answer is good for a second");
    sleep(Duration::from_secs(1)).await;
    let health = running.health().await;
    assert!(!health.is_ready());
    assert_eq!(of(&health, Kind::Check), &Status::down("cannot reach postgres://me:***@host/db"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn checks_that_hang_or_panic_keep_nobody_else_from_being_told() -> Result<(), Error> {
    let service = Service::new("billing").transport(Memory::new());
    let hangs = async |_| std::future::pending::<Status>().await;
    let panics = async |_| -> Status { panic!("no words") };
    let service = service.check("hangs", hangs).check("panics", panics).check("fine", async |_| Status::up());
    let health = service.start().await?.health().await;
    let told: Vec<_> = health.components.iter().map(|part| (&*part.name, part.status.reason())).collect();
    let expected = [
        ("memory", None),
        ("hangs", Some("no answer within 1s")),
        ("panics", Some("panicked: no words")),
        ("fine", None),
    ];
    assert_eq!(told, expected);
    Ok(())
}

#[tokio::test]
async fn k1_two_checks_of_one_name_are_refused() {
    let check = async |_| Status::up();
    let service = Service::new("billing").transport(Memory::new()).check("disk", check).check("disk", check);
    let error = service.start().await.err().expect("which one is meant?");
    assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Setting, "check `disk` is there twice"));
}
