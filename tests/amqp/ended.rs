//! Consumers that end: while there is still something to hand out, the end is told after that, and not forgotten; while
//! they are set up, nothing of them stays (N1).

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tegami::transport::{Deliveries, Delivery, Provision, QueuePlan, Topology, Transport, TransportError, amqp::Amqp};
use tegami_test_servers::{Rabbit, Release};
use tokio::time::timeout;

use super::letters::{body, letter, topology};

/// How long anything may take to come.
const COMES: Duration = Duration::from_secs(60);
/// More than there are letters.
const ROOM: usize = 10;
/// More than a reader takes to be set up.
const STEPS: usize = 20;

/// A queue in order on a RabbitMQ, with one reader.
struct Desk {
    rabbit: Rabbit,
    amqp: Amqp,
    topology: Topology,
    deliveries: Box<dyn Deliveries>,
}

impl Desk {
    async fn of(release: Release, name: &str) -> Self {
        let rabbit = Rabbit::take(release).await;
        let (amqp, topology) = (Amqp::new(rabbit.url()), topology(&format!("{name}-{}", std::process::id())));
        amqp.provision(&topology, Provision::Create).await.expect("it can be declared");
        let deliveries = amqp.consume(&topology.queues[0]).await.expect("it is there");
        Self { rabbit, amqp, topology, deliveries }
    }

    fn plan(&self) -> &QueuePlan {
        &self.topology.queues[0]
    }

    async fn post(&self, key: &str, text: &str) {
        self.amqp.publish(letter(self.plan(), key, text)).await.expect("it is bound");
    }

    async fn next(&mut self) -> Result<Vec<Delivery>, TransportError> {
        timeout(COMES, self.deliveries.next(ROOM)).await.expect("deliveries, or why there are none")
    }

    /// Takes so many letters.
    async fn take<const MANY: usize>(&mut self) -> [Delivery; MANY] {
        let mut taken = Vec::new();
        while taken.len() < MANY {
            taken.extend(self.next().await.expect("nothing is wrong"));
        }
        taken.try_into().expect("no more than these can be handed out")
    }

    /// Reads on until the end is told, and takes what else there is before that.
    async fn end(&mut self) -> String {
        for _ in 0..ROOM {
            if let Err(end) = self.next().await {
                return end.to_string();
            }
        }
        panic!("the end is forgotten")
    }

    /// Three letters that come to the next reader; those of `a`.
    async fn all_of_a(&mut self) -> Vec<String> {
        let plan = self.plan().clone();
        self.deliveries = self.amqp.consume(&plan).await.expect("the broker is there");
        let mut came = Vec::new();
        while came.len() < 3 {
            for delivery in self.next().await.expect("nothing is wrong") {
                came.push(body(&delivery));
                delivery.ack().await.expect("it is ours");
            }
        }
        came.retain(|text| text.starts_with('a'));
        came
    }
}

async fn a_cut_is_told(release: Release) {
    let mut desk = Desk::of(release, "cut").await;
    for (key, text) in [("a", "a1"), ("a", "a2"), ("b", "b1")] {
        desk.post(key, text).await;
    }
    // What came between them waits here, behind its key.
    let [first, other] = desk.take().await;
    assert_eq!([&first, &other].map(body), ["a1", "b1"]);
    other.retry(Duration::ZERO).await.expect("it is ours");
    desk.rabbit.close_connections().await;
    timeout(COMES, first.lost()).await.expect("its connection is closed");
    // The retry is due, and after it the end has come; then the key is free, and what waited behind it could go.
    let due = desk.next().await;
    first.ack().await.expect_err("it is the broker's again");
    drop(due);
    let end = desk.end().await;
    assert!(end.contains(&desk.plan().name), "{end}");

    assert_eq!(desk.all_of_a().await, ["a1", "a2"]);
    desk.amqp.close().await;
}

/// Nobody reads on meanwhile, as where all that may be in work is. What waits behind a letter that is left does not overtake it.
async fn a_closed_channel_is_told_to_whoever_has_its_letters(release: Release) {
    let mut desk = Desk::of(release, "closed").await;
    for (key, text) in [("a", "a1"), ("a", "a2"), ("b", "b1")] {
        desk.post(key, text).await;
    }
    let [first, other] = desk.take().await;
    assert_eq!([&first, &other].map(body), ["a1", "b1"]);
    desk.rabbit.close_a_channel().await;
    timeout(COMES, first.lost()).await.expect("its channel is closed");
    first.ack().await.expect_err("it is the broker's again");
    drop(other);
    let end = desk.next().await.expect_err("so is what waited behind it").to_string();
    assert!(end.contains(&desk.plan().name), "{end}");
    assert_eq!(desk.all_of_a().await, ["a1", "a2"]);
    desk.amqp.close().await;
}

async fn a_deleted_queue_is_told(release: Release) {
    let mut desk = Desk::of(release, "deleted").await;
    desk.post("a", "a1").await;
    let [first] = desk.take().await;
    desk.post("b", "b1").await;
    desk.rabbit.delete(&desk.plan().name).await;
    timeout(COMES, first.lost()).await.expect("the queue has nothing any more");
    let end = desk.end().await;
    assert!(end.contains("has ended the consumer") && end.contains(&desk.plan().name), "{end}");
    desk.amqp.close().await;
}

/// Readers that are given up while they are set up, after each number of steps. How many there are, the broker's pace decides.
async fn given_up_readers_leave_no_consumer(release: Release) {
    let mut desk = Desk::of(release, "given-up").await;
    let plan = desk.plan().clone();
    drop(desk.deliveries);
    let mut given_up = 0;
    for polls in 1..=STEPS {
        match polled(polls, desk.amqp.consume(&plan)).await {
            Some(reader) => drop(reader.expect("it is there")),
            None => given_up += 1,
        }
    }
    assert!(given_up > 0, "no reader is there at once");
    desk.deliveries = desk.amqp.consume(&plan).await.expect("it is there");
    desk.post("a", "a1").await;
    let [came] = desk.take().await;
    came.ack().await.expect("it is ours");
    desk.amqp.close().await;
}

/// What comes of it in so many polls, if it does.
async fn polled<F: Future>(polls: usize, work: F) -> Option<F::Output> {
    let (mut work, mut left) = (pin!(work), polls);
    poll_fn(|cx| {
        left -= 1;
        match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn n1_a_cut_is_told_though_retries_were_due_on_3() {
    a_cut_is_told(Release::V3).await;
}

#[tokio::test]
async fn n1_a_cut_is_told_though_retries_were_due_on_4() {
    a_cut_is_told(Release::V4).await;
}

#[tokio::test]
async fn l2_a_closed_channel_is_told_to_whoever_has_its_letters_on_3() {
    a_closed_channel_is_told_to_whoever_has_its_letters(Release::V3).await;
}

#[tokio::test]
async fn l2_a_closed_channel_is_told_to_whoever_has_its_letters_on_4() {
    a_closed_channel_is_told_to_whoever_has_its_letters(Release::V4).await;
}

#[tokio::test]
async fn n1_f06_a_deleted_queue_is_told_though_it_had_delivered_on_4() {
    a_deleted_queue_is_told(Release::V4).await;
}

#[tokio::test]
async fn n1_a_reader_that_is_given_up_while_it_is_set_up_is_none_on_3() {
    given_up_readers_leave_no_consumer(Release::V3).await;
}

#[tokio::test]
async fn n1_a_reader_that_is_given_up_while_it_is_set_up_is_none_on_4() {
    given_up_readers_leave_no_consumer(Release::V4).await;
}
