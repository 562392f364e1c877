//! The event that is counted.

use std::time::{Duration, SystemTime};

use tegami::{
    Event,
    envelope::{Head, Message, MessageId},
};

pub use crate::contracts::bench::orders::v1::{OrderNoted, OrderPaid};

/// The order that every message is about; all are alike, so that each costs the same.
pub fn order() -> OrderPaid {
    OrderPaid::builder().order_id("o-1000001").currency("EUR").amount_minor(129_900).items(3).build()
}

/// The message about it, as a publisher makes it.
///
/// # Panics
/// Never: its id is one.
pub fn message() -> Message<OrderPaid> {
    let order = order();
    let head = Head::new()
        .id(MessageId::parse("8ff55b4c-1b4d-4b4a-9a45-2d8b0e4f6a7b").expect("an id"))
        .event(OrderPaid::CONTRACT.name)
        .time(SystemTime::UNIX_EPOCH + Duration::new(1_795_224_550, 768_429_517))
        .service("billing")
        .instance("1f0c6a2e-94a3-4d5e-8f57-0a1c52b7d6e9")
        .topic(OrderPaid::CONTRACT.topic)
        .key(order.order_id.clone())
        .attributes(order.attributes().with("tegami-event", OrderPaid::CONTRACT.name));
    Message::new(head, order)
}
