//! What waits in queues, as RabbitMQ tells.

use std::time::Duration;

use tegami::{
    Context, Service,
    envelope::{MessageId, Sealed},
    transport::{Backlog, Outgoing, Provision, QueuePlan, Topology, Transport as _, amqp::Amqp},
};
use tegami_test_servers::{Rabbit, Release};
use tokio::time::{sleep, timeout};

use crate::contracts::shop::orders::v1::OrderPaid;

/// How long it may take until what was done is counted.
const COUNTED: Duration = Duration::from_secs(20);

fn topology() -> Topology {
    let service = Service::new("billing").prefix(format!("backlog-{}-", std::process::id()));
    service.on::<OrderPaid>(async |_: OrderPaid, _: Context| Ok(())).topology().expect("it is right")
}

/// A message into this queue alone.
fn straight(queue: &str) -> Outgoing {
    let mut message = Outgoing::new(MessageId::parse("1").expect("it is one"), "paid", "orders", Sealed::default());
    message.queue = Some(queue.to_owned());
    message
}

async fn until(amqp: &Amqp, queue: &QueuePlan, expected: Backlog) {
    let looking = async {
        while amqp.backlog(queue).await != expected {
            sleep(Duration::from_millis(50)).await;
        }
    };
    if timeout(COUNTED, looking).await.is_err() {
        panic!("{:?} is told, not {expected:?}", amqp.backlog(queue).await);
    }
}

async fn is_told(release: Release) {
    let rabbit = Rabbit::take(release).await;
    let (amqp, topology) = (Amqp::new(rabbit.url()), topology());
    let queue = &topology.queues[0];
    assert_eq!(amqp.backlog(queue).await, Backlog::default(), "nobody connects for that");
    amqp.provision(&topology, Provision::Create).await.expect("it is up");
    until(&amqp, queue, Backlog::new(Some(0), Some(0))).await;
    for _ in 0..3 {
        amqp.publish(straight(&queue.name)).await.expect("it is stored");
    }
    amqp.publish(straight(&queue.dead_letters)).await.expect("it is stored");
    until(&amqp, queue, Backlog::new(Some(3), Some(1))).await;
    rabbit.delete(&queue.name).await;
    until(&amqp, queue, Backlog::new(None, Some(1))).await;
    rabbit.kill9().await;
    let told = timeout(COUNTED, amqp.backlog(queue)).await.expect("it does not wait");
    assert_eq!(told, Backlog::default());
    amqp.close().await;
    rabbit.start().await;
}

#[tokio::test]
async fn what_waits_is_told_by_rabbitmq_3_and_no_more_when_it_is_gone() {
    is_told(Release::V3).await;
}

#[tokio::test]
async fn what_waits_is_told_by_rabbitmq_4_and_no_more_when_it_is_gone() {
    is_told(Release::V4).await;
}
