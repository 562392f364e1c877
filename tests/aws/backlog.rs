//! What waits in queues, as SQS tells, and what becomes of that where nobody may ask.

use std::time::Duration;

use tegami::{
    envelope::{MessageId, Sealed},
    health::State,
    transport::{Backlog, Outgoing, Provision, QueuePlan, Transport as _, aws::Aws},
};
use tegami_test_servers::{Kind, Rule, Trouble};
use tokio::time::{sleep, timeout};

use crate::startup::{Account, topology};

/// How long it may take until what was done is counted.
const COUNTED: Duration = Duration::from_secs(60);

/// A message into this queue alone.
fn straight(queue: &str) -> Outgoing {
    let mut message = Outgoing::new(MessageId::parse("1").expect("it is one"), "paid", "orders", Sealed::default());
    message.queue = Some(queue.to_owned());
    message
}

async fn until(aws: &Aws, queue: &QueuePlan, expected: Backlog) {
    let looking = async {
        while aws.backlog(queue).await != expected {
            sleep(Duration::from_millis(50)).await;
        }
    };
    if timeout(COUNTED, looking).await.is_err() {
        panic!("{:?} is told, not {expected:?}", aws.backlog(queue).await);
    }
}

async fn is_told(kind: Kind) {
    let account = Account::open(kind).await;
    let (aws, queue) = (Aws::new(account.url("")), account.plan("billing", &["orders"]));
    aws.provision(&topology(std::slice::from_ref(&queue)), Provision::Create).await.expect("it is up");
    until(&aws, &queue, Backlog::new(Some(0), Some(0))).await;
    for name in [&queue.name, &queue.name, &queue.name, &queue.dead_letters] {
        aws.publish(straight(name)).await.expect("it is stored");
    }
    until(&aws, &queue, Backlog::new(Some(3), Some(1))).await;
    account.fault.put(Rule::on("GetQueueAttributes", Trouble::DENIED));
    assert_eq!(aws.backlog(&queue).await, Backlog::default());
    assert_eq!(aws.status().state(), State::Up, "who may not ask works on");
    aws.close().await;
}

#[tokio::test]
async fn what_waits_is_told_by_localstack_and_no_more_where_nobody_may_ask() {
    is_told(Kind::LocalStack).await;
}

#[tokio::test]
async fn what_waits_is_told_by_ministack_and_no_more_where_nobody_may_ask() {
    is_told(Kind::MiniStack).await;
}
