//! Many dead letters that leave at once: what is told as gone is gone.

use async_trait::async_trait;
use futures_util::future;
use tegami::{
    envelope::{MessageId, Sealed},
    transport::{DeadLetter, Fate, Outgoing, Provision, Sorter, Transport as _, amqp::Amqp},
};
use tegami_test_servers::{Rabbit, Release};

use super::letters::topology;

/// How many leave in one go: more than a channel of RabbitMQ tells its quorum queues at once.
const MANY: usize = 300;
/// How often. Each time it depends on the moment whether acks are forgotten.
const TIMES: usize = 5;

/// Deletes all.
#[derive(Default)]
struct Bin {
    left: usize,
}

#[async_trait]
impl Sorter for Bin {
    async fn room(&mut self) -> usize {
        usize::MAX
    }

    fn fate(&mut self, _: &DeadLetter) -> Fate {
        Fate::Drop
    }

    fn left(&mut self, _: Fate) {
        self.left += 1;
    }
}

async fn all_are_gone(release: Release) {
    let rabbit = Rabbit::take(release).await;
    let (amqp, topology) = (Amqp::new(rabbit.url()), topology(&format!("dropped-{}", fastrand::u32(..))));
    let plan = &topology.queues[0];
    assert!(amqp.differences(&topology, Provision::Create).await.expect("it is up").is_empty());
    for time in 0..TIMES {
        let put = (0..MANY).map(|number| {
            let id = MessageId::parse(format!("{time}-{number}")).expect("it is one");
            let mut letter = Outgoing::new(id, "paid", "orders", Sealed::default());
            letter.queue = Some(plan.dead_letters.clone());
            amqp.publish(letter)
        });
        future::try_join_all(put).await.expect("they are stored");
        let mut bin = Bin::default();
        amqp.sort_dead_letters(&plan.name, &mut bin).await.expect("they can be sorted");
        // Those that were told as gone and came back would be more of the next.
        assert_eq!(bin.left, MANY, "in round {time}");
        let left = amqp.dead_letters(&plan.name, usize::MAX).await.expect("it is there");
        assert_eq!(left.len(), 0, "came back in round {time}");
    }
    amqp.close().await;
}

#[tokio::test]
async fn x7_what_was_told_as_dropped_does_not_come_back_on_rabbitmq_3() {
    all_are_gone(Release::V3).await;
}

#[tokio::test]
async fn x7_what_was_told_as_dropped_does_not_come_back_on_rabbitmq_4() {
    all_are_gone(Release::V4).await;
}
