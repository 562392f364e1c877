//! What a service makes of a transport that does not do its part (P3, N, D1, S).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, Error, ErrorKind, HandlerError, Service,
    envelope::{MessageId, Raw, Sealed},
    service::Running,
    transport::{Memory, Outgoing, PublishErrorKind, Transport},
};
use tokio::time::Instant;

use crate::{
    contracts::shop::{orders::v1::OrderPaid, warehouse::v1::StockMoved},
    faulty::{Faults, Faulty},
    order,
};

/// How often a handler ran, and how often at once.
#[derive(Clone, Default)]
struct Runs {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
}

async fn count(_: OrderPaid, ctx: Context<Runs>) -> Result<(), HandlerError> {
    let runs = ctx.state();
    runs.most.fetch_max(runs.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    runs.all.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(10)).await;
    runs.now.fetch_sub(1, Ordering::SeqCst);
    Ok(())
}

/// A service that handles two orders at once.
fn service(transport: &Faulty, runs: &Runs) -> Service<Runs> {
    let service = Service::new("billing").transport(transport.transport()).state(runs.clone());
    service.on_with::<OrderPaid>(count, |s| s.concurrency(2))
}

async fn publish(running: &Running, count: usize) -> Result<(), Error> {
    for n in 0..count {
        running.publisher().publish(&order(&format!("o-{n}"))).await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn p3_waiting_for_the_start_is_part_of_the_deadline() -> Result<(), Error> {
    let transport = Faulty::new(Faults { hanging_publishes: 1.into(), ..Faults::default() });
    let service = service(&transport, &Runs::default()).before_start(async |_| {
        tokio::time::sleep(Duration::from_secs(9)).await;
        Ok::<(), Error>(())
    });
    let (publisher, began) = (service.publisher(), Instant::now());
    let (published, running) = tokio::join!(async { publisher.publish(&order("o-1")).await }, service.start());
    assert_eq!(published.expect_err("no answer").kind(), PublishErrorKind::Unknown);
    assert!(began.elapsed() <= Duration::from_secs(11), "{:?}", began.elapsed());
    running?.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n7_a_transport_that_panics_leaves_no_silent_consumer() -> Result<(), Error> {
    let (faults, runs) = (Faults { panicking_consumes: 2.into(), ..Faults::default() }, Runs::default());
    let transport = Faulty::new(faults);
    let running = service(&transport, &runs).start().await?;
    publish(&running, 1).await?;
    transport.memory.quiet().await;
    assert_eq!(runs.all.load(Ordering::SeqCst), 1);
    running.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn b1_a_transport_that_hands_out_too_much_gets_no_more_slots() -> Result<(), Error> {
    let (faults, runs) = (Faults { surplus: 50, ..Faults::default() }, Runs::default());
    let transport = Faulty::new(faults);
    let running = service(&transport, &runs).start().await?;
    publish(&running, 40).await?;
    transport.memory.quiet().await;
    assert_eq!((runs.all.load(Ordering::SeqCst), runs.most.load(Ordering::SeqCst)), (40, 2));
    running.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s2_what_was_handed_out_and_not_started_is_given_back_at_a_stop() -> Result<(), Error> {
    let (faults, runs) = (Faults { surplus: 50, ..Faults::default() }, Runs::default());
    let transport = Faulty::new(faults);
    let watched = transport.memory.clone();
    let running = service(&transport, &runs).start().await?;
    publish(&running, 40).await?;
    tokio::time::sleep(Duration::from_millis(1)).await;
    running.stop().await?;
    let depth = watched.depth("billing-shop-orders-v1-OrderPaid").expect("the queue");
    assert_eq!((runs.all.load(Ordering::SeqCst), depth.ready, depth.in_flight), (2, 38, 0));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn b1_no_more_than_64_mib_are_in_work_and_the_rest_is_not_lost() -> Result<(), Error> {
    // 64 of these are 64 MiB to the kibibyte; one more would be beyond.
    const SIZE: usize = 1024 * 1024 - 100;
    let (memory, runs) = (Memory::new(), Runs::default());
    let service = Service::new("billing").transport(memory.clone()).envelope(Raw::json()).state(runs.clone());
    let running = service.on_with::<OrderPaid>(count, |s| s.concurrency(100)).start().await?;
    for n in 0..70 {
        let id = MessageId::parse(format!("m-{n}")).expect("a valid id");
        let mut body = br#"{"orderId": "o-1", "currency": "EUR"}"#.to_vec();
        body.resize(SIZE, b' ');
        let sealed = Sealed { body: body.into(), ..Sealed::default() };
        memory.publish(Outgoing::new(id, "shop.orders.v1.OrderPaid", "shop-orders-v1", sealed)).await.expect("room");
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let depth = memory.depth("billing-shop-orders-v1-OrderPaid").expect("the queue");
    assert_eq!((depth.in_flight, depth.ready), (65, 5), "no more are taken than there is room for, and one");
    memory.quiet().await;
    assert_eq!((runs.all.load(Ordering::SeqCst), runs.most.load(Ordering::SeqCst)), (70, 64));
    running.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn d1_a_settlement_that_fails_brings_the_delivery_back() -> Result<(), Error> {
    let (faults, runs) = (Faults { failing_settles: 2.into(), ..Faults::default() }, Runs::default());
    let transport = Faulty::new(faults);
    let running = service(&transport, &runs).start().await?;
    publish(&running, 1).await?;
    transport.memory.quiet().await;
    assert_eq!(runs.all.load(Ordering::SeqCst), 3);
    running.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n3_a_settlement_that_hangs_gives_its_slot_back() -> Result<(), Error> {
    let (faults, runs) = (Faults { hanging_settles: 2.into(), ..Faults::default() }, Runs::default());
    let transport = Faulty::new(faults);
    let running = service(&transport, &runs).start().await?;
    publish(&running, 5).await?;
    let began = Instant::now();
    transport.memory.quiet().await;
    assert_eq!(runs.all.load(Ordering::SeqCst), 7, "the two that hung come back");
    assert!(began.elapsed() <= Duration::from_secs(11), "{:?}", began.elapsed());
    running.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_leaves_nothing_running_and_closes_the_transport() {
    async fn ignore(_: StockMoved, _: Context<Runs>) -> Result<(), HandlerError> {
        Ok(())
    }
    let runs = Runs::default();
    let start = async |faults: Faults, change: fn(Service<Runs>) -> Service<Runs>| {
        let transport = Faulty::new(faults);
        let service = change(service(&transport, &runs));
        let publisher = service.publisher();
        let error = service.start().await.err().expect("the start fails");
        assert_eq!(transport.faults.closes.load(Ordering::SeqCst), 1, "{error:?}");
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0, "{error:?}");
        let closed = publisher.publish(&order("o-1")).await.expect_err("closed");
        assert_eq!(closed.kind(), PublishErrorKind::Closed);
        error
    };
    let none = Faults::default;
    let error = start(Faults { failing_provisions: 1.into(), ..none() }, |service| service).await;
    assert_eq!(error.kind(), ErrorKind::Transport);
    let error = start(none(), |service| service.started(async |_| Err::<(), _>("no disk"))).await;
    assert_eq!(error.kind(), ErrorKind::Hook);
    let error = start(none(), |service| service.prefix("a b")).await;
    assert_eq!(error.kind(), ErrorKind::Setting);
    let error = start(none(), |service| service.on::<StockMoved>(ignore)).await;
    assert_eq!(error.kind(), ErrorKind::Subscription);
    assert!(error.to_string().contains("order per key") && error.to_string().contains("memory"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_is_closed_at_once_when_its_service_is_dropped() -> Result<(), Error> {
    let began = Instant::now();
    let service = service(&Faulty::new(Faults::default()), &Runs::default());
    let publisher = service.publisher();
    drop(service);
    assert_eq!(publisher.publish(&order("o-1")).await.expect_err("dropped").kind(), PublishErrorKind::Closed);

    let service = Service::new("billing").transport(Memory::new()).started(async |_| Ok::<(), Error>(()));
    let publisher = service.publisher();
    drop(service.start().await?);
    assert_eq!(publisher.publish(&order("o-1")).await.expect_err("dropped").kind(), PublishErrorKind::Closed);
    assert_eq!(began.elapsed(), Duration::ZERO);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_publish_awaited_before_the_start_is_closed_at_its_deadline() -> Result<(), Error> {
    let service = Service::new("billing").transport(Memory::new()).before_start(async |service| {
        let began = Instant::now();
        let error = service.publisher().publish(&order("o-1")).await.expect_err("the start waits for this hook");
        assert_eq!((error.kind(), began.elapsed()), (PublishErrorKind::Closed, Duration::from_secs(10)));
        Ok::<(), Error>(())
    });
    service.start().await?.stop().await?;
    Ok(())
}
