//! How long a message is on its way when there is time for each: from the publish to the handler.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use tegami::{Context, HandlerError, Service, transport::Transport};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{meter::Drain, own::subscription};
use crate::event::{OrderNoted, noted};

/// Messages of the first half second are not counted.
const WARM: Duration = Duration::from_millis(500);

/// Milliseconds that messages were on their way.
#[derive(Debug, Serialize)]
pub struct Latency {
    messages: usize,
    p50: f64,
    p99: f64,
    most: f64,
}

/// So many messages, at this pace.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// How many.
    pub messages: usize,
    /// The time between two.
    pub pace: Duration,
}

/// When each message was published, and how long it took.
#[derive(Debug)]
pub struct Clock {
    walk: Walk,
    published: Mutex<Vec<Instant>>,
    took: Mutex<Vec<Duration>>,
    drain: Drain,
}

impl Clock {
    /// For the messages of this walk.
    pub fn of(walk: Walk) -> Self {
        let room = || Mutex::new(Vec::with_capacity(walk.messages));
        Self {
            walk,
            published: room(),
            took: Mutex::new(Vec::with_capacity(walk.messages)),
            drain: Drain::of(walk.messages),
        }
    }

    /// The message of this number has come.
    ///
    /// # Panics
    /// It was never published.
    pub fn handled(&self, number: u32) {
        let published = self.published.lock().expect("nobody panics")[number as usize];
        self.took.lock().expect("nobody panics").push(published.elapsed());
        self.drain.handled();
    }

    /// Publishes all, each at its time, without waiting for one before the next; what they took.
    ///
    /// # Panics
    /// Some do not come.
    pub async fn time(&self, publish: impl AsyncFn(usize)) -> Latency {
        self.publish(publish).await;
        timeout(Duration::from_secs(10), self.drain.cost()).await.expect("all messages come");
        let warm = usize::try_from(WARM.as_micros() / self.walk.pace.as_micros()).expect("a small number");
        let mut took = self.took.lock().expect("nobody panics").split_off(warm);
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1000.0;
        Latency { messages: took.len(), p50: at(50), p99: at(99), most: at(100) }
    }

    async fn publish(&self, publish: impl AsyncFn(usize)) {
        let (mut pace, mut flying) = (interval(self.walk.pace), FuturesUnordered::new());
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut number = 0;
        while number < self.walk.messages || !flying.is_empty() {
            tokio::select! {
                _ = pace.tick(), if number < self.walk.messages => {
                    self.published.lock().expect("nobody panics").push(Instant::now());
                    flying.push(publish(number));
                    number += 1;
                }
                Some(()) = flying.next(), if !flying.is_empty() => {}
            }
        }
    }
}

async fn handle(order: OrderNoted, ctx: Context<Arc<Clock>>) -> Result<(), HandlerError> {
    ctx.state().handled(order.number);
    Ok(())
}

/// Through a whole service of tegami.
///
/// # Panics
/// The broker is not there.
pub async fn own(transport: impl Transport, walk: Walk) -> Latency {
    let clock = Arc::new(Clock::of(walk));
    let service = Service::new("billing").state(clock.clone()).transport(transport);
    let running = service.on_with::<OrderNoted>(handle, subscription).start().await.expect("the service starts");
    let orders: Vec<OrderNoted> = (0..).map(noted).take(walk.messages).collect();
    let publish = async |number: usize| {
        running.publisher().publish(&orders[number]).await.expect("it is confirmed");
    };
    let latency = clock.time(publish).await;
    running.stop().await.expect("the service stops");
    latency
}
