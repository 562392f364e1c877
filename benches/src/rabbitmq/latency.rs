//! How long a message is on its way when there is time for each: from the publish to the handler.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::options::BasicAckOptions;
use serde::Serialize;
use tegami::{Context, HandlerError, Service, transport::amqp::Amqp};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{meter::Drain, own::subscription, raw};
use crate::event::{OrderNoted, noted};

/// Between two messages: 500 a second.
const PACE: Duration = Duration::from_millis(2);
/// The first messages are not counted.
const WARM: usize = 250;

/// Milliseconds that messages were on their way.
#[derive(Debug, Serialize)]
pub struct Latency {
    messages: usize,
    p50: f64,
    p99: f64,
    most: f64,
}

/// When each message was published, and how long it took.
#[derive(Debug)]
pub struct Clock {
    published: Mutex<Vec<Instant>>,
    took: Mutex<Vec<Duration>>,
    drain: Drain,
}

impl Clock {
    fn of(messages: usize) -> Self {
        let (published, took) = (Mutex::new(Vec::with_capacity(messages)), Mutex::new(Vec::with_capacity(messages)));
        Self { published, took, drain: Drain::of(messages) }
    }

    fn publishes(&self) {
        self.published.lock().expect("nobody panics").push(Instant::now());
    }

    fn handled(&self, number: u32) {
        let published = self.published.lock().expect("nobody panics")[number as usize];
        self.took.lock().expect("nobody panics").push(published.elapsed());
        self.drain.handled();
    }

    async fn latency(&self) -> Latency {
        timeout(Duration::from_secs(10), self.drain.cost()).await.expect("all messages come");
        let mut took = self.took.lock().expect("nobody panics").split_off(WARM);
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1000.0;
        Latency { messages: took.len(), p50: at(50), p99: at(99), most: at(100) }
    }
}

async fn handle(order: OrderNoted, ctx: Context<Arc<Clock>>) -> Result<(), HandlerError> {
    ctx.state().handled(order.number);
    Ok(())
}

/// Through a whole service of tegami.
pub async fn own(url: &str, messages: usize) -> Latency {
    let clock = Arc::new(Clock::of(messages));
    let service = Service::new("billing").state(clock.clone()).transport(Amqp::new(url));
    let running = service.on_with::<OrderNoted>(handle, subscription).start().await.expect("the service starts");
    let orders: Vec<OrderNoted> = (0..).map(noted).take(messages).collect();
    paced(messages, async |number| {
        clock.publishes();
        running.publisher().publish(&orders[number]).await.expect("it is confirmed");
    })
    .await;
    let latency = clock.latency().await;
    running.stop().await.expect("the service stops");
    latency
}

/// Through lapin by itself.
pub async fn raw(url: &str, messages: usize) -> Latency {
    let clock = Arc::new(Clock::of(messages));
    let (consuming, channel) = raw::open(url).await;
    let mut deliveries = raw::consumer(&channel).await;
    let seen = clock.clone();
    let reading = tokio::spawn(async move {
        for _ in 0..messages {
            let delivery = deliveries.next().await.expect("a delivery").expect("the broker is there");
            seen.handled(number_of(&delivery.data));
            delivery.ack(BasicAckOptions::default()).await.expect("it is acked");
        }
    });
    let (publishing, channel) = raw::open(url).await;
    let outlet = raw::Outlet::of(channel).await;
    let bodies: Vec<Vec<u8>> = (0..).map(body).take(messages).collect();
    paced(messages, async |number| {
        clock.publishes();
        raw::confirmed(outlet.publish(&bodies[number]).await).await;
    })
    .await;
    let latency = clock.latency().await;
    reading.await.expect("it ends");
    for connection in [publishing, consuming] {
        connection.close(200, "done".into()).await.expect("goodbye");
    }
    latency
}

/// As long as a message of tegami's; its number stands in front.
fn body(number: u32) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    body.resize(super::BODY, b'n');
    body
}

fn number_of(body: &[u8]) -> u32 {
    u32::from_be_bytes(*body.first_chunk().expect("it stands in front"))
}

/// Does so many at their pace, without waiting for one before the next.
async fn paced(messages: usize, publish: impl AsyncFn(usize)) {
    let (mut pace, mut flying) = (interval(PACE), FuturesUnordered::new());
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut number = 0;
    while number < messages || !flying.is_empty() {
        tokio::select! {
            _ = pace.tick(), if number < messages => {
                flying.push(publish(number));
                number += 1;
            }
            Some(()) = flying.next(), if !flying.is_empty() => {}
        }
    }
}
