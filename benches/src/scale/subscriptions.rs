//! A service with many subscriptions: what its start takes, what it has in memory, and what a delivery takes.

use std::time::Instant;

use serde::Serialize;
use tegami::{Service, transport::Transport};
use tegami_counts::{
    event::order,
    latch::Latch,
    own::{grouped, wanted_by_the_first},
};

use crate::broker::meter::memory;

/// Who wants a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Every subscription.
    ByAll,
    /// One; the filters of the others do not let it through.
    ByOne,
}

/// What so many subscriptions cost.
#[derive(Debug, Serialize)]
pub struct Subscribed {
    /// Seconds until the service had started.
    start: f64,
    /// KiB resident once it had.
    memory: usize,
    /// Deliveries that were timed.
    deliveries: usize,
    /// Seconds from the first publish to the last handler.
    seconds: f64,
}

/// Starts a service and sends messages through it, one after the other, after one that is not timed.
///
/// # Panics
/// The broker is not there.
pub async fn subscribed(
    transport: impl Transport,
    subscriptions: usize,
    wanted: Wanted,
    messages: usize,
) -> Subscribed {
    let latch = Latch::default();
    let service = Service::new("billing").state(latch.clone()).transport(transport);
    let service = match wanted {
        Wanted::ByAll => grouped(service, subscriptions, |s, _| s),
        Wanted::ByOne => grouped(service, subscriptions, wanted_by_the_first),
    };
    let began = Instant::now();
    let running = service.start().await.expect("the service starts");
    let (start, memory) = (began.elapsed().as_secs_f64(), memory());
    let copies = if wanted == Wanted::ByAll { subscriptions } else { 1 };
    let order = order();
    let send = async || {
        latch.expect(copies);
        running.publisher().publish(&order).await.expect("it is stored");
        latch.all().await;
    };
    send().await;
    let began = Instant::now();
    for _ in 0..messages {
        send().await;
    }
    let seconds = began.elapsed().as_secs_f64();
    running.stop().await.expect("the service stops");
    Subscribed { start, memory, deliveries: messages * copies, seconds }
}
