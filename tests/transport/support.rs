//! A broker with queues to talk about, and short words for it.

use std::time::Duration;

use bytes::Bytes;
use tegami::{
    envelope::{MessageId, Sealed},
    event::{Attributes, Policy},
    transport::{
        Binding, Deliveries, Delivery, Memory, Outgoing, Provision, QueuePlan, TopicPlan, Topology, Transport,
    },
};
use tokio::time::timeout;

pub const EVENT: &str = "shop.orders.v1.OrderPaid";
pub const TOPIC: &str = "shop-orders-v1";

/// A queue that takes every event of the topic.
pub fn plan(name: &str) -> QueuePlan {
    QueuePlan {
        name: name.to_owned(),
        dead_letters: format!("{name}-dead"),
        ordered: false,
        retry_delays: Vec::new(),
        halts: false,
        concurrency: 10,
        reach: Default::default(),
        bindings: vec![binding()],
    }
}

/// The same, in order per key.
pub fn ordered(name: &str) -> QueuePlan {
    QueuePlan { ordered: true, ..plan(name) }
}

pub fn binding() -> Binding {
    Binding {
        topic: TOPIC.to_owned(),
        routing_key: EVENT.to_owned(),
        event: EVENT,
        by_name: false,
        policy: Policy::default(),
    }
}

pub fn topology(queues: impl IntoIterator<Item = QueuePlan>) -> Topology {
    let topic = TopicPlan { name: TOPIC.to_owned(), ordered: false, source: "orders.proto:1" };
    Topology { topics: vec![topic], queues: queues.into_iter().collect() }
}

/// Declares the queues.
pub async fn declare(memory: &Memory, queues: impl IntoIterator<Item = QueuePlan>) {
    memory.provision(&topology(queues), Provision::Create).await.unwrap();
}

/// A consumer of the queue, which is declared first.
pub async fn consumer(memory: &Memory, queue: QueuePlan) -> Box<dyn Deliveries> {
    declare(memory, [queue.clone()]).await;
    memory.consume(&queue).await.unwrap()
}

/// A message with this id, whose body is its id.
pub fn message(id: &str) -> Outgoing {
    let sealed = Sealed { body: Bytes::copy_from_slice(id.as_bytes()), attributes: Attributes::new() };
    Outgoing::new(MessageId::parse(id).unwrap(), EVENT, TOPIC, sealed)
}

/// The same, of this key.
pub fn keyed(id: &str, key: &str) -> Outgoing {
    let mut outgoing = message(id);
    outgoing.key = Some(key.to_owned());
    outgoing
}

/// The next delivery; there must be one within a minute.
pub async fn one(deliveries: &mut Box<dyn Deliveries>) -> Delivery {
    let next = timeout(Duration::from_secs(60), deliveries.next(1)).await;
    let mut next = next.expect("a delivery within a minute").unwrap();
    assert_eq!(next.len(), 1, "one was asked for");
    next.remove(0)
}

/// Is there nothing to hand out now?
pub async fn nothing(deliveries: &mut Box<dyn Deliveries>) -> bool {
    timeout(Duration::ZERO, deliveries.next(1)).await.is_err()
}

/// The id of a delivery, as text.
pub fn id(delivery: &Delivery) -> String {
    delivery.id.as_ref().unwrap().to_string()
}
