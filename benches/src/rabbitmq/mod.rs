//! The same messages through RabbitMQ, by tegami and by others. `src/bin/rabbitmq.rs` runs one side in a process of its
//! own, `rabbitmq/rounds.py` has them take turns.

pub mod crowd;
pub mod latency;
pub mod other;
pub mod raw;
pub mod transport;

use tegami::transport::{Provision, Transport, amqp::Amqp};

use crate::broker::topology;

/// The exchange that the queue is bound to.
pub const EXCHANGE: &str = "amq.topic";
/// Deliveries that may be unsettled: tegami fetches twice as many as it handles at once.
pub const PREFETCH: u16 = 300;

/// Declares the queue anew, empty.
///
/// # Panics
/// The broker is not there.
pub async fn declare(url: &str) {
    raw::delete(url).await;
    let amqp = Amqp::new(url);
    amqp.provision(&topology(), Provision::Create).await.expect("the queue is declared");
    amqp.close().await;
}

/// The routing key of the event.
pub fn routing_key() -> String {
    topology().queues[0].bindings[0].routing_key.clone()
}
