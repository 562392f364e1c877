//! The same messages through a real broker: what RabbitMQ and SNS and SQS have in common.

pub mod latency;
pub mod meter;
pub mod own;

use tegami::{
    Service,
    envelope::{Envelope, JsonBase},
    transport::Topology,
};

use crate::event::{self, OrderNoted};

/// The queue that is filled and drained, made by tegami for every side.
pub const QUEUE: &str = "bench";
/// Deliveries that a service handles at once.
pub const CONCURRENCY: usize = 150;
/// Publishes that may wait for their answers; as many as tegami lets.
pub const WINDOW: usize = 1_000;
/// Bytes of a message, without what travels beside it.
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
