//! How a service stops (S), in one process; `tests/process` does it with signals.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, Error, HandlerError, Service,
    service::{Ended, Handle},
    transport::Memory,
};
use tokio::time::Instant;

use crate::{contracts::shop::orders::v1::OrderPaid, order};

const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";

fn slow(memory: &Memory, takes: Duration, done: &Arc<AtomicUsize>) -> Service {
    let done = done.clone();
    let handler = move |_: OrderPaid, _: Context| {
        let done = done.clone();
        async move {
            tokio::time::sleep(takes).await;
            done.fetch_add(1, Ordering::SeqCst);
            Ok::<(), HandlerError>(())
        }
    };
    let long = Duration::from_secs(3600);
    Service::new("billing").transport(memory.clone()).on_with::<OrderPaid>(handler, |s| s.concurrency(5).timeout(long))
}

async fn publish(running: &tegami::service::Running, count: usize) -> Result<(), Error> {
    for n in 0..count {
        running.publisher().publish(&order(&format!("o-{n}"))).await?;
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s2_running_handlers_end_and_the_rest_stays_in_the_queue() -> Result<(), Error> {
    let (memory, done) = (Memory::new(), Arc::new(AtomicUsize::new(0)));
    let running = slow(&memory, Duration::from_secs(20), &done).start().await?;
    publish(&running, 12).await?;
    assert_eq!(running.stop().await?, Ended::Drained);
    assert_eq!(done.load(Ordering::SeqCst), 5);
    let depth = memory.depth(QUEUE).expect("the queue");
    assert_eq!((depth.ready, depth.in_flight), (7, 0));

    let again = slow(&memory, Duration::ZERO, &done).start().await?;
    memory.quiet().await;
    again.stop().await?;
    assert_eq!(done.load(Ordering::SeqCst), 12, "nothing lost, nothing twice");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s1_a_handler_that_does_not_end_is_dropped_in_drain_time_and_ten_seconds() -> Result<(), Error> {
    let (memory, done) = (Memory::new(), Arc::new(AtomicUsize::new(0)));
    let running = slow(&memory, Duration::from_secs(3000), &done).drain(Duration::from_secs(3)).start().await?;
    publish(&running, 5).await?;
    let began = Instant::now();
    assert_eq!(running.stop().await?, Ended::Forced);
    assert!(began.elapsed() <= Duration::from_secs(13), "{:?}", began.elapsed());
    let depth = memory.depth(QUEUE).expect("the queue");
    assert_eq!((depth.ready, depth.in_flight), (5, 0), "given back");
    Ok(())
}

/// Whoever ends the process learns that a handler may block it still.
#[tokio::test(start_paused = true)]
async fn s5_a_stop_is_told_as_forced_although_a_hook_failed() -> Result<(), Error> {
    let (memory, done) = (Memory::new(), Arc::new(AtomicUsize::new(0)));
    fn fail(_: Handle) -> std::future::Ready<Result<(), String>> {
        std::future::ready(Err("no disk".to_owned()))
    }
    let service = slow(&memory, Duration::from_secs(3000), &done).drain(Duration::from_secs(3));
    let running = service.stopped(fail).start().await?;
    publish(&running, 1).await?;
    assert_eq!(running.stop().await?, Ended::Forced);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s1_a_handler_told_to_end_can_end_by_itself() -> Result<(), Error> {
    let memory = Memory::new();
    async fn obey(_: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
        ctx.cancelled().await;
        Ok(())
    }
    let service = Service::new("billing").transport(memory.clone()).on::<OrderPaid>(obey);
    let running = service.drain(Duration::from_secs(1)).start().await?;
    publish(&running, 1).await?;
    assert_eq!(running.stop().await?, Ended::Forced);
    let depth = memory.depth(QUEUE).expect("the queue");
    assert_eq!((depth.ready, depth.in_flight), (0, 0), "it was acked");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s1_a_stop_can_be_left_to_a_task() -> Result<(), Error> {
    let (memory, done) = (Memory::new(), Arc::new(AtomicUsize::new(0)));
    let running = slow(&memory, Duration::ZERO, &done).start().await?;
    assert_eq!(tokio::spawn(running.stop()).await.expect("the task ends")?, Ended::Drained);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s5_a_hundred_starts_and_stops_leave_nothing_behind() -> Result<(), Error> {
    let (memory, done) = (Memory::new(), Arc::new(AtomicUsize::new(0)));
    for round in 1..=100 {
        let running = slow(&memory, Duration::ZERO, &done).start().await?;
        publish(&running, 1).await?;
        memory.quiet().await;
        assert_eq!(running.stop().await?, Ended::Drained);
        assert_eq!(done.load(Ordering::SeqCst), round);
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_dropped_service_gives_back_what_it_was_handling() -> Result<(), Error> {
    let (memory, done) = (Memory::new(), Arc::new(AtomicUsize::new(0)));
    let running = slow(&memory, Duration::from_secs(3000), &done).start().await?;
    publish(&running, 3).await?;
    drop(running);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let depth = memory.depth(QUEUE).expect("the queue");
    assert_eq!((depth.ready, depth.in_flight), (3, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_a_stop_at_any_moment_loses_nothing_and_repeats_nothing() -> Result<(), Error> {
    const ORDERS: usize = 3_000;
    let (memory, done) = (Memory::new(), Arc::new(AtomicUsize::new(0)));
    let outside = Service::new("outside").transport(memory.clone()).started(async |_| Ok::<(), Error>(()));
    let outside = outside.start().await?;
    slow(&memory, Duration::ZERO, &done).start().await?.stop().await?;
    let publisher = outside.publisher().clone();
    let publishing = tokio::spawn(async move {
        for n in 0..ORDERS {
            publisher.publish(&order(&format!("o-{n}"))).await.expect("there is room");
            tokio::task::yield_now().await;
        }
    });
    let mut dice = fastrand::Rng::with_seed(2);
    for _ in 0..200 {
        let running = slow(&memory, Duration::ZERO, &done).start().await?;
        tokio::time::sleep(Duration::from_micros(dice.u64(0..300))).await;
        assert_eq!(running.stop().await?, Ended::Drained);
    }
    publishing.await.expect("no panic");
    let running = slow(&memory, Duration::ZERO, &done).start().await?;
    memory.quiet().await;
    running.stop().await?;
    outside.stop().await?;
    assert_eq!(done.load(Ordering::SeqCst), ORDERS);
    Ok(())
}
