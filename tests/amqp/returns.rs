//! Copies of one message, on their way to several queues at once: each publisher is told what became of its own (X1, X4).

use std::process;

use futures_util::FutureExt;
use tegami::{
    envelope::{MessageId, Sealed},
    transport::{Outgoing, Provision, PublishErrorKind, Transport as _, amqp::Amqp},
};
use tegami_test_servers::{Rabbit, Release};

use super::letters::topology;

/// The same message, for this queue.
fn copy(queue: &str) -> Outgoing {
    let id = MessageId::parse("copied").expect("a short name");
    let mut copy = Outgoing::new(id, "paid", "orders", Sealed::default());
    copy.queue = Some(queue.to_owned());
    copy
}

async fn a_copy_that_comes_back_is_told_to_its_own_publisher(release: Release) {
    let rabbit = Rabbit::take(release).await;
    let (amqp, topology) = (Amqp::new(rabbit.url()), topology(&format!("returns-{}", process::id())));
    amqp.provision(&topology, Provision::Create).await.expect("it can be declared");
    for _ in 0..20 {
        let mut lost = amqp.publish(copy("deleted-by-somebody"));
        // It is written; unless its confirm is there at once, who wrote it asks for its return only after the other, which was
        // written behind it.
        let at_once = (&mut lost).now_or_never();
        amqp.publish(copy(&topology.queues[0].name)).await.expect("its queue is there");
        let answer = match at_once {
            Some(answer) => answer,
            None => lost.await,
        };
        let error = answer.expect_err("there is no such queue");
        assert_eq!(error.kind(), PublishErrorKind::Unroutable, "{error}");
    }
    amqp.close().await;
}

#[tokio::test]
async fn x1_a_copy_that_comes_back_is_told_to_its_own_publisher_on_rabbitmq_3() {
    a_copy_that_comes_back_is_told_to_its_own_publisher(Release::V3).await;
}

#[tokio::test]
async fn x1_a_copy_that_comes_back_is_told_to_its_own_publisher_on_rabbitmq_4() {
    a_copy_that_comes_back_is_told_to_its_own_publisher(Release::V4).await;
}
