//! A fault or a crash at every point that all transports share: nothing is lost, and the answers are right.
//!
//! The failpoints are the process's own, so each test holds a `FailScenario`, of which there is one at a time.

mod contracts {
    tegami::include_contracts!();
}
mod crash;
mod error;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
mod outbox;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
mod projection;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
mod records;
#[cfg(all(feature = "postgres", feature = "schedule", feature = "sqlite"))]
mod schedule;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
mod store;

use std::sync::{Arc, Mutex};

use contracts::shop::orders::v1::OrderPaid;
use tegami::{
    Context, Error, HandlerError, Retry, Service,
    failpoint::{Point, fail::FailScenario, hits},
    transport::{Memory, PublishErrorKind},
};

/// One that goes well, one that fails once, and one that is rejected.
const ORDERS: [&str; 3] = ["well", "later", "never"];

/// What was seen of a service that was told of the three orders, one after the other.
#[derive(Debug, Default)]
struct Seen {
    /// The publishes that were not `Ok`.
    refused: Vec<(String, PublishErrorKind)>,
    /// Every run of the handler: the order and the attempt.
    runs: Vec<(String, u32)>,
    done: Vec<String>,
    dead: Vec<String>,
    /// How often the consumer received something.
    received: u64,
}

impl Seen {
    /// The attempts at an order, as the handler saw them.
    fn attempts(&self, order: &str) -> Vec<u32> {
        self.runs.iter().filter(|(of, _)| of == order).map(|(_, attempt)| *attempt).collect()
    }
}

type Notes = Arc<Mutex<Seen>>;

async fn handle(order: OrderPaid, ctx: Context<Notes>) -> Result<(), HandlerError> {
    println!("handled {} {}", order.order_id, ctx.attempt());
    let mut seen = ctx.state().lock().expect("no panic while it is held");
    seen.runs.push((order.order_id.clone(), ctx.attempt()));
    match (order.order_id.as_str(), ctx.attempt()) {
        ("later", 1) => Err(HandlerError::retry("not yet")),
        ("never", _) => Err(HandlerError::reject(order.order_id)),
        _ => {
            seen.done.push(order.order_id);
            Ok(())
        }
    }
}

/// Tells a service of the three orders and waits until each is settled.
async fn tell_all() -> Result<Seen, Error> {
    let before = hits(Point::ConsumeAfterReceive);
    let (memory, notes) = (Memory::new(), Notes::default());
    let service = Service::new("billing").transport(memory.clone()).state(notes.clone());
    let plan = Retry::after([std::time::Duration::from_secs(1); 5]);
    let running = service.on_with::<OrderPaid>(handle, |s| s.retry(plan)).start().await?;
    for id in ORDERS {
        let told = running.publisher().publish(&OrderPaid::builder().order_id(id).build()).await;
        println!("published {id}");
        if let Err(error) = told {
            notes.lock().expect("no panic while it is held").refused.push((id.to_owned(), error.kind()));
        }
        memory.quiet().await;
    }
    running.stop().await?;
    let mut seen = std::mem::take(&mut *notes.lock().expect("no panic while it is held"));
    seen.dead = memory.all_dead_letters().iter().map(|letter| letter.error().to_owned()).collect();
    seen.received = hits(Point::ConsumeAfterReceive) - before;
    Ok(seen)
}

#[tokio::test(start_paused = true)]
async fn every_shared_point_is_passed_and_strikes_nobody_unasked() -> Result<(), Error> {
    let scenario = FailScenario::setup();
    let before = Point::SHARED.map(hits);
    let seen = tell_all().await?;
    for (point, before) in Point::SHARED.into_iter().zip(before) {
        assert!(hits(point) > before, "{} was not passed", point.name());
    }
    assert_eq!((seen.refused.len(), seen.runs.len()), (0, 4));
    assert_eq!((seen.done, seen.dead), (vec!["well".to_owned(), "later".to_owned()], vec!["never".to_owned()]));
    scenario.teardown();
    Ok(())
}

#[test]
fn every_point_has_a_name_of_its_own() {
    let points = Point::SHARED.into_iter().chain(Point::IN_TRANSPORTS).chain(Point::IN_STORES);
    let points = points.chain(Point::IN_OUTBOXES).chain(Point::IN_PROJECTIONS).chain(Point::IN_SCHEDULES);
    let points: Vec<_> = points.map(Point::name).collect();
    let names: std::collections::BTreeSet<_> = points.iter().collect();
    assert_eq!(names.len(), points.len());
}
