//! The service under test: its clock, its neighbours, its patience.

use std::time::Duration;

use tegami::{Context, Error, HandlerError, Service, testing::TestService, transport::Memory};
use tokio::time::Instant;

use crate::{contracts::shop::orders::v1::OrderPaid, order};

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

fn service(name: &str) -> Service {
    Service::new(name).on::<OrderPaid>(ignore)
}

#[tokio::test]
async fn settle_does_not_wait_for_a_queue_that_nobody_reads() -> Result<(), Error> {
    let memory = Memory::new();
    let gone = TestService::start_on(&memory, service("gone")).await?;
    let test = TestService::start_on(&memory, service("billing")).await?;
    gone.stop().await?;
    test.fail_next::<OrderPaid>(HandlerError::retry("not yet"));
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(test.handled::<OrderPaid>().len(), 1, "the retry was waited for");
    assert_eq!(memory.depth("gone-shop-orders-v1-OrderPaid").expect("the queue").ready, 1);
    Ok(())
}

#[tokio::test]
async fn settle_waits_for_long_handlers_and_for_neighbours() -> Result<(), Error> {
    async fn slow(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
        tokio::time::sleep(Duration::from_secs(50)).await;
        Ok(())
    }
    let memory = Memory::new();
    let test = TestService::start_on(&memory, service("billing")).await?;
    let neighbour = TestService::start_on(&memory, Service::new("shipping").on::<OrderPaid>(slow)).await?;
    test.publish(&order("o-1")).await?;
    let began = Instant::now();
    test.settle().await;
    assert_eq!((neighbour.handled::<OrderPaid>().len(), began.elapsed().as_secs()), (1, 50));
    test.settle().await;
    assert_eq!(began.elapsed().as_secs(), 50, "quiet already");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_paused_already_stays_so() -> Result<(), Error> {
    let (one, two) = (TestService::start(service("one")).await?, TestService::start(service("two")).await?);
    let (began, wall) = (Instant::now(), std::time::Instant::now());
    one.advance(Duration::from_secs(3600)).await;
    assert!(began.elapsed() >= Duration::from_secs(3600) && wall.elapsed() < Duration::from_secs(60));
    one.stop().await?;
    two.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_of_many_threads_is_refused_with_the_way_out() {
    let error = TestService::start(service("billing")).await.err().expect("its clock cannot be paused");
    assert!(error.to_string().contains("#[tokio::test]"), "{error}");
}

#[tokio::test]
async fn d3_each_instance_gets_the_event_and_nothing_waits_for_one_that_is_gone() -> Result<(), Error> {
    let caches = || Service::new("caches").on_with::<OrderPaid>(ignore, |s| s.per_instance());
    let memory = Memory::new();
    let first = TestService::start_on(&memory, caches()).await?;
    let second = TestService::start_on(&memory, caches()).await?;
    first.fail_next::<OrderPaid>(HandlerError::retry("not yet"));
    second.fail_next::<OrderPaid>(HandlerError::reject("never"));
    first.publish(&order("o-1")).await?;
    first.settle().await;
    assert_eq!([first.handled::<OrderPaid>().len(), second.handled::<OrderPaid>().len()], [1, 0]);
    assert_eq!(second.dead_letters().len(), 1);
    second.stop().await?;
    first.publish(&order("o-2")).await?;
    first.settle().await;
    assert_eq!(first.handled::<OrderPaid>().len(), 2);
    memory.quiet().await;
    Ok(())
}
