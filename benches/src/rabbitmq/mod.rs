//! The same messages through RabbitMQ, by tegami and by others. `src/bin/rabbitmq.rs` runs one side in a process of its
//! own, `rabbitmq/rounds.py` has them take turns.

pub mod crowd;
pub mod latency;
pub mod meter;
pub mod other;
pub mod own;
pub mod raw;
pub mod transport;

use tegami::{
    Service,
    envelope::{Envelope, JsonBase},
    transport::{Provision, Topology, Transport, amqp::Amqp},
};

use crate::event::{self, OrderNoted};

/// The queue that is filled and drained, declared by tegami for every side.
pub const QUEUE: &str = "bench";
/// The exchange it is bound to.
pub const EXCHANGE: &str = "amq.topic";
/// Deliveries that may be unsettled.
pub const PREFETCH: u16 = 300;
/// Deliveries that a service handles at once; tegami fetches twice as many.
pub const CONCURRENCY: usize = 150;
/// Publishes that may wait for their confirm; as many as tegami lets.
pub const WINDOW: usize = 1_000;
/// Bytes of a message, without its headers.
pub const BODY: usize = 1024;

/// The body of a message as tegami writes it.
pub fn body() -> Vec<u8> {
    let body = JsonBase::default().encode(&event::noted_message(0)).expect("it can be encoded").body;
    assert!(body.len().abs_diff(BODY) < 10, "a body has {} bytes", body.len());
    body.into()
}

/// What must stand on the broker.
///
/// # Panics
/// The service is none.
pub fn topology() -> Topology {
    let service = Service::new("billing").on_with::<OrderNoted>(own::ignore, own::subscription);
    service.topology().expect("it is a service")
}

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
