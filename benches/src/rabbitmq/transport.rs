//! tegami's transport alone: no service, no pipeline, no envelope.

use std::hint::black_box;

use futures_util::{StreamExt, stream};
use tegami::{
    envelope::{MessageId, Sealed},
    event::Event,
    transport::{Outgoing, Provision, Topology, Transport, amqp::Amqp},
};

use super::routing_key;
use crate::{
    broker::{
        WINDOW, body,
        meter::{Cost, Drain, Mark},
        topology,
    },
    event::{OrderNoted, noted_message},
};

/// Drains the queue, one delivery after the other.
pub async fn consume(url: &str, drain: Drain) -> Cost {
    let amqp = Amqp::new(url);
    let plan = &topology().queues[0];
    let mut deliveries = amqp.consume(plan).await.expect("the queue is there");
    while drain.count() < drain.messages() {
        for delivery in deliveries.next(plan.concurrency).await.expect("the broker is there") {
            black_box(delivery.sealed.body.len());
            drain.handled();
            delivery.ack().await.expect("it is acked");
        }
    }
    drop(deliveries);
    amqp.close().await;
    drain.cost().await
}

/// Publishes so many, many at once.
pub async fn publish(url: &str, messages: usize) -> Cost {
    let amqp = Amqp::new(url);
    amqp.provision(&Topology::default(), Provision::Assume).await.expect("the broker is there");
    let attributes = noted_message(0).head.attributes;
    let (sealed, key) = (Sealed { body: body().into(), attributes }, routing_key());
    let outgoing = |number: usize| {
        let id = MessageId::parse(format!("8ff55b4c-1b4d-4b4a-9a45-{number:012x}")).expect("an id");
        let mut outgoing = Outgoing::new(id, OrderNoted::CONTRACT.name, OrderNoted::CONTRACT.topic, sealed.clone());
        outgoing.routing_key = key.clone().into();
        outgoing
    };
    amqp.publish(outgoing(0)).await.expect("it is confirmed");
    let mark = Mark::now();
    let sends = stream::iter(1..messages).map(|number| amqp.publish(outgoing(number)));
    sends.buffer_unordered(WINDOW).for_each(async |sent| sent.expect("it is confirmed")).await;
    let cost = mark.cost(messages - 1);
    amqp.close().await;
    cost
}
