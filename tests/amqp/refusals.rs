//! What a publisher is told of a message that a queue refused: where it was for that one alone, and where for others, too (P2).

use std::{process, time::Duration};

use tegami::transport::{Provision, PublishErrorKind, QueuePlan, Transport as _, amqp::Amqp};
use tegami_test_servers::{Rabbit, Release};
use tokio::time::timeout;

use super::letters::{body, letter, topology};

/// How long anything may take to come.
const COMES: Duration = Duration::from_secs(60);

async fn what_one_queue_of_two_refused_is_unknown(release: Release) {
    let rabbit = Rabbit::take(release).await;
    let amqp = Amqp::new(rabbit.url() + "?queue_type=classic");
    let name = format!("refused-{}", process::id());
    let mut both = topology(&name);
    let open = both.queues[0].clone();
    let (queue, dead_letters) = (format!("{name}-full.fifo"), format!("{name}-full-dead.fifo"));
    let full = QueuePlan { name: queue, dead_letters, ..open.clone() };
    both.queues.push(full.clone());
    amqp.provision(&both, Provision::Create).await.expect("they can be declared");
    rabbit.lock(&full.name).await;
    let to_both = amqp.publish(letter(&open, "a", "both")).await.expect_err("one is full");
    let mut straight = letter(&full, "a", "straight");
    straight.queue = Some(full.name.clone());
    let to_one = amqp.publish(straight).await.expect_err("it is full");
    rabbit.relieve().await;
    assert_eq!(to_both.kind(), PublishErrorKind::Unknown, "{to_both}");
    assert_eq!(to_one.kind(), PublishErrorKind::Refused, "{to_one}");
    let mut deliveries = amqp.consume(&open).await.expect("it is there");
    let came = timeout(COMES, deliveries.next(10)).await.expect("it was stored").expect("nothing is wrong");
    assert_eq!(came.iter().map(body).collect::<Vec<_>>(), ["both"]);
    amqp.close().await;
}

#[tokio::test]
async fn p2_what_one_queue_of_two_refused_is_unknown_on_rabbitmq_3() {
    what_one_queue_of_two_refused_is_unknown(Release::V3).await;
}

#[tokio::test]
async fn p2_what_one_queue_of_two_refused_is_unknown_on_rabbitmq_4() {
    what_one_queue_of_two_refused_is_unknown(Release::V4).await;
}
