//! Messages that go through an outbox, to RabbitMQ; beside them, those of `broker::own` that do not.

use std::sync::Arc;

use tegami::{
    Context, HandlerError, Service,
    outbox::{Database, Transaction},
    transport::amqp::Amqp,
};

use crate::{
    broker::{
        latency::{Clock, Latency, Walk},
        meter::{Cost, Mark},
        own::subscription,
    },
    event::{OrderNoted, noted},
};

/// Messages of one transaction, while the outbox is filled.
const TOGETHER: usize = 100;

/// Fills the outbox while nobody publishes from it; what it costs to publish all.
///
/// # Panics
/// The broker or the database is not there.
pub async fn publish<D: Database<Tx: Transaction>>(url: &str, db: &D, messages: usize) -> Cost {
    let filling = Service::new("billing").transport(Amqp::new(url)).start().await.expect("the service starts");
    for begun in (0..messages).step_by(TOGETHER) {
        let mut tx = db.begin().await.expect("it begins");
        for number in begun..begun + TOGETHER {
            filling.publisher().in_transaction(&mut tx).publish(&order(number)).await.expect("it is put");
        }
        db.commit(tx).await.expect("it is committed");
    }
    filling.stop().await.expect("the service stops");
    let mark = Mark::now();
    let running = Service::new("billing").transport(Amqp::new(url)).outbox(db).start().await.expect("it starts");
    while running.unpublished().await.expect("it is told") > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let cost = mark.cost(messages);
    running.stop().await.expect("the service stops");
    cost
}

/// The time from the begin of a transaction with one message to its handler.
///
/// # Panics
/// The broker or the database is not there.
pub async fn latency<D: Database<Tx: Transaction>>(url: &str, db: &D, walk: Walk) -> Latency {
    let clock = Arc::new(Clock::of(walk));
    let service = Service::new("billing").state(clock.clone()).transport(Amqp::new(url)).outbox(db);
    let running = service.on_with::<OrderNoted>(handle, subscription).start().await.expect("the service starts");
    let orders: Vec<OrderNoted> = (0..walk.messages).map(order).collect();
    let publish = async |number: usize| {
        let mut tx = db.begin().await.expect("it begins");
        running.publisher().in_transaction(&mut tx).publish(&orders[number]).await.expect("it is put");
        db.commit(tx).await.expect("it is committed");
    };
    let latency = clock.time(publish).await;
    running.stop().await.expect("the service stops");
    latency
}

/// Each of an order of its own: those of one key would go one after the other.
fn order(number: usize) -> OrderNoted {
    let noted = noted(u32::try_from(number).expect("a small number"));
    OrderNoted { order_id: format!("o-{number:07}"), ..noted }
}

async fn handle(order: OrderNoted, ctx: Context<Arc<Clock>>) -> Result<(), HandlerError> {
    ctx.state().handled(order.number);
    Ok(())
}
