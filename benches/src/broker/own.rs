//! A whole service of tegami.

use std::{hint::black_box, sync::Arc};

use futures_util::{StreamExt, stream};
use tegami::{Context, HandlerError, Service, service::Running, transport::Transport};

use super::{
    CONCURRENCY, QUEUE, WINDOW,
    meter::{Cost, Drain, Mark},
};
use crate::event::{OrderNoted, noted};

type Subscription = tegami::Subscription<OrderNoted>;

/// The queue that all sides read.
pub fn subscription(subscription: Subscription) -> Subscription {
    subscription.queue(QUEUE).concurrency(CONCURRENCY)
}

/// Does nothing with an order.
///
/// # Errors
/// None.
pub async fn ignore(_: OrderNoted, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

async fn handle(order: OrderNoted, ctx: Context<Arc<Drain>>) -> Result<(), HandlerError> {
    black_box((order.number, order.note.len()));
    ctx.state().handled();
    Ok(())
}

/// Drains the queue.
pub async fn consume(transport: impl Transport, drain: Drain) -> Cost {
    let drain = Arc::new(drain);
    let service = Service::new("billing").state(drain.clone()).transport(transport);
    let running = service.on_with::<OrderNoted>(handle, subscription).start().await.expect("the service starts");
    let cost = drain.cost().await;
    stop(running).await;
    cost
}

/// Publishes so many, many at once.
pub async fn publish(transport: impl Transport, messages: usize) -> Cost {
    let running = publisher(transport).await;
    let (publisher, order) = (running.publisher().clone(), noted(0));
    publisher.publish(&order).await.expect("it is confirmed");
    let mark = Mark::now();
    let sends = stream::iter(0..messages - 1).map(|_| publisher.publish(&order));
    sends.buffer_unordered(WINDOW).for_each(async |sent| drop(sent.expect("it is confirmed"))).await;
    let cost = mark.cost(messages - 1);
    stop(running).await;
    cost
}

/// Publishes so many in one call.
pub async fn publish_all(transport: impl Transport, messages: usize) -> Cost {
    let running = publisher(transport).await;
    let (publisher, orders) = (running.publisher().clone(), vec![noted(0); messages - 1]);
    publisher.publish(&orders[0]).await.expect("it is confirmed");
    let mark = Mark::now();
    for sent in publisher.publish_all(&orders).await {
        sent.expect("it is confirmed");
    }
    let cost = mark.cost(messages - 1);
    stop(running).await;
    cost
}

async fn publisher(transport: impl Transport) -> Running {
    Service::new("billing").transport(transport).start().await.expect("the service starts")
}

async fn stop(running: Running) {
    running.stop().await.expect("the service stops");
}
