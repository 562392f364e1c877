//! lapin by itself: as little as one can do and still lose nothing.

use std::{collections::VecDeque, hint::black_box};

use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, PublisherConfirm,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueDeclareOptions, QueueDeleteOptions,
    },
    types::FieldTable,
};

use super::{EXCHANGE, PREFETCH, routing_key};
use crate::broker::{
    QUEUE, body,
    meter::{Cost, Drain, Mark},
};

/// A connection with one channel, as lapin makes them.
pub async fn open(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("the broker is there");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

/// Deletes the queue, if it is there.
pub async fn delete(url: &str) {
    let (connection, channel) = open(url).await;
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await.expect("it is gone");
    connection.close(200, "done".into()).await.expect("goodbye");
}

/// How many messages wait in the queue.
pub async fn waiting(url: &str) -> u32 {
    let (connection, channel) = open(url).await;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(QUEUE.into(), passive, FieldTable::default()).await.expect("it is there");
    connection.close(200, "done".into()).await.expect("goodbye");
    queue.message_count()
}

/// The consumer's stream.
pub async fn consumer(channel: &Channel) -> Consumer {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.expect("it fetches ahead");
    let options = BasicConsumeOptions::default();
    channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default()).await.expect("it is there")
}

/// Drains the queue, with an ack for each delivery, or one for so many.
pub async fn consume(url: &str, drain: Drain, together: usize) -> Cost {
    let (connection, channel) = open(url).await;
    let mut deliveries = consumer(&channel).await;
    while drain.count() < drain.messages() {
        let delivery = deliveries.next().await.expect("a delivery").expect("the broker is there");
        black_box(delivery.data.len());
        drain.handled();
        if drain.count().is_multiple_of(together) || drain.count() == drain.messages() {
            delivery.ack(BasicAckOptions { multiple: together > 1 }).await.expect("it is acked");
        }
    }
    channel.close(200, "done".into()).await.expect("goodbye");
    connection.close(200, "done".into()).await.expect("goodbye");
    drain.cost().await
}

/// A channel that confirms, and what is published on it.
pub struct Outlet {
    channel: Channel,
    properties: BasicProperties,
    routing_key: String,
}

impl Outlet {
    /// Has the channel confirm.
    pub async fn of(channel: Channel) -> Self {
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("it confirms");
        let properties = BasicProperties::default().with_delivery_mode(2).with_content_type("application/json".into());
        Self { channel, properties, routing_key: routing_key() }
    }

    /// Publishes; the answer is the confirm to come.
    pub async fn publish(&self, body: &[u8]) -> PublisherConfirm {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (key, properties) = (self.routing_key.as_str().into(), self.properties.clone());
        self.channel.basic_publish(EXCHANGE.into(), key, options, body, properties).await.expect("it is written")
    }
}

/// Waits for a confirm.
pub async fn confirmed(confirm: PublisherConfirm) {
    assert!(matches!(confirm.await, Ok(Confirmation::Ack(None))), "it is confirmed");
}

/// Publishes so many, of which a window waits for its confirms.
pub async fn publish(url: &str, messages: usize, window: usize) -> Cost {
    let (connection, channel) = open(url).await;
    let (outlet, body) = (Outlet::of(channel).await, body());
    confirmed(outlet.publish(&body).await).await;
    let (mark, mut confirms) = (Mark::now(), VecDeque::with_capacity(window));
    for _ in 1..messages {
        if confirms.len() == window {
            confirmed(confirms.pop_front().expect("the window is full")).await;
        }
        confirms.push_back(outlet.publish(&body).await);
    }
    for confirm in confirms {
        confirmed(confirm).await;
    }
    let cost = mark.cost(messages - 1);
    connection.close(200, "done".into()).await.expect("goodbye");
    cost
}
