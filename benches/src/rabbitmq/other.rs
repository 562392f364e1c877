//! A service of ruststream, on ruststream-lapin.

use std::{convert::Infallible, hint::black_box, num::NonZeroU16, sync::Arc};

use futures_util::{StreamExt, stream};
use ruststream_lapin::prelude::*;

use super::{EXCHANGE, PREFETCH, routing_key};
use crate::{
    broker::{
        BODY, QUEUE, WINDOW,
        meter::{Cost, Drain, Mark},
    },
    event::BareNote,
};

#[subscriber(RabbitQuorumQueue::new(QUEUE), workers(150))]
async fn handle(order: &BareNote, ctx: &mut Context<'_, (), Arc<Drain>>) -> HandlerOutcome {
    black_box((order.number, order.note.len()));
    ctx.state().handled();
    HandlerOutcome::ack()
}

fn broker(url: &str) -> LapinBroker {
    LapinBroker::new(url).prefetch(NonZeroU16::new(PREFETCH).expect("not zero")).declare_topology(false)
}

/// Drains the queue.
pub async fn consume(url: &str, drain: Drain) -> Cost {
    let drain = Arc::new(drain);
    let state = drain.clone();
    let app = RustStream::new(AppInfo::new("billing", "0.0.0"))
        .on_startup(async move |()| Ok::<_, Infallible>(state))
        .with_broker(broker(url), |scope| {
            scope.include(handle);
        });
    let running = app.start().await.expect("the service starts");
    let cost = drain.cost().await;
    running.shutdown().await.expect("the service stops");
    cost
}

/// Publishes so many, many at once.
pub async fn publish(url: &str, messages: usize) -> Cost {
    let connected = broker(url).connect().await.expect("the broker is there");
    let publisher = connected.publisher(Publish::default().exchange(EXCHANGE).confirms());
    let (key, order) = (routing_key(), BareNote::of(BODY));
    publisher.message(&order).to(key.as_str()).publish().await.expect("it is confirmed");
    let mark = Mark::now();
    let sends = stream::iter(1..messages).map(|_| publisher.message(&order).to(key.as_str()).publish());
    sends.buffer_unordered(WINDOW).for_each(async |sent| sent.expect("it is confirmed")).await;
    mark.cost(messages - 1)
}
