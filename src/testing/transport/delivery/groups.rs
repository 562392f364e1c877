//! Who gets what: everybody all of theirs, nobody anything of others, early or late.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::{self, BoxFuture};

use crate::{
    Context, HandlerError,
    envelope::MessageId,
    testing::transport::{Done, LetterPosted, Trial, letter, until, within},
    transport::{QueuePlan, Transport},
};

/// How many consumers come and go.
const CHURN: usize = 20;
/// Two subscriptions of three replicas each.
const REPLICAS: [&str; 6] = ["billing", "billing", "billing", "shipping", "shipping", "shipping"];
/// What a replica works on at once: all of them together have far less in their hands than there is (B1).
const BUSY: usize = 5;
/// How long it takes at most until every replica has had something.
const SHARED: Duration = Duration::from_secs(60);

/// D3: replicas of a subscription share its messages; different subscriptions each get all.
pub async fn d_02_groups(trial: &Trial) -> Done {
    let (mut replicas, begun) = (Vec::new(), Begun::default());
    for (number, name) in REPLICAS.into_iter().enumerate() {
        let handler = begun.handling_once_all_have(number);
        let service = trial.handling(trial.service(name).await, handler, |s| s.concurrency(BUSY));
        replicas.push(trial.start(service).await);
    }
    for number in 0..trial.many() {
        trial.post(replicas[0].publisher(), &letter("a", number)).await.expect("both listen");
    }
    within(SHARED, "each replica to get its share", trial.tally().until_done(2 * trial.many())).await;
    assert_eq!(trial.tally().duplicates(), 0, "each message goes to one replica of each");
    for plan in trial.queues() {
        assert_eq!(trial.tally().of(&plan.name).len(), trial.many(), "{} gets all", plan.name);
    }
    for replica in replicas {
        replica.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// How often each replica began to handle a letter.
#[derive(Clone, Default)]
struct Begun(Arc<[AtomicUsize; REPLICAS.len()]>);

impl Begun {
    /// Handles letters once every replica has begun with one: who is busy until then cannot take those of others.
    fn handling_once_all_have(
        &self,
        replica: usize,
    ) -> impl Fn(LetterPosted, Context) -> BoxFuture<'static, Result<(), HandlerError>> + use<> {
        let begun = self.0.clone();
        move |_, _| {
            let begun = begun.clone();
            Box::pin(async move {
                begun[replica].fetch_add(1, Ordering::SeqCst);
                until(|| begun.iter().all(|begun| begun.load(Ordering::SeqCst) > 0)).await;
                Ok(())
            })
        }
    }
}

/// D5: topics with names that look alike stay apart, whatever a broker makes of their characters.
pub async fn d_03_topics_apart(trial: &Trial) -> Done {
    let transport = trial.connect().await;
    let plans: Vec<QueuePlan> = alike().iter().map(|(queue, topic)| trial.plan(queue, topic)).collect();
    trial.declare(&*transport, &plans).await;
    let rounds = 0..trial.many() / plans.len();
    let topics = plans.iter().map(|plan| {
        let (transport, rounds) = (&*transport, rounds.clone());
        async move {
            for _ in rounds {
                let message = trial.message(plan, plan.name.clone());
                trial.publish(transport, message).await.expect("its queue is bound");
            }
        }
    });
    let reads = plans.iter().map(|plan| complete(trial, &*transport, plan, rounds.len()));
    future::join(future::join_all(topics), future::join_all(reads)).await;
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}

/// Twenty topics, each with a queue.
fn alike() -> Vec<(String, String)> {
    let topics = [
        "a",
        "A",
        "aa",
        "a-",
        "a_",
        "-a",
        "_a",
        "a-a",
        "a_a",
        "A-a",
        "a--a",
        "a-2Da",
        "a-2da",
        "a-dead",
        "a-retry-1",
        "a-fifo",
        "ab",
        "a-b",
        "a_b",
        "1",
    ];
    topics.iter().enumerate().map(|(number, topic)| (format!("queue-{number}"), (*topic).to_owned())).collect()
}

/// Completes so many messages of a queue, which must all be its own.
async fn complete(trial: &Trial, on: &dyn Transport, plan: &QueuePlan, count: usize) {
    let mut reader = trial.reader(on, plan).await;
    for _ in 0..count {
        let got = reader.next().await;
        assert_eq!(got.delivery.sealed.body, plan.name.as_bytes(), "{} got another's", plan.name);
        got.ack().await.expect("the delivery is ours to ack");
    }
}

/// D1: who comes late finds all that was published since the subscription was made.
pub async fn d_04_late_consumer(trial: &Trial) -> Done {
    trial.listen("billing").await.stop().await.expect("no hook can fail");
    let sender = trial.start(trial.service("mail").await).await;
    for number in 0..trial.many() {
        trial.post(sender.publisher(), &letter("a", number)).await.expect("there is a queue for it");
    }
    sender.stop().await.expect("no hook can fail");
    assert_eq!(trial.tally().attempts(), 0, "nobody listened");
    let late = trial.listen("billing").await;
    trial.tally().until_done(trial.many()).await;
    late.stop().await.expect("no hook can fail");
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}

/// D1: consumers come and go while messages are published, some with deliveries in their hands; nothing is lost.
pub async fn d_05_consumer_churn(trial: &Trial) -> Done {
    let (publishing, plan) = trial.queue("letters").await;
    let publishes = async {
        let mut ids = Vec::new();
        for number in 0..trial.many() {
            let message = trial.message(&plan, number.to_string());
            ids.push(message.id.clone());
            trial.publish(&*publishing, message).await.expect("its queue is bound");
            tokio::task::yield_now().await;
        }
        ids
    };
    let churn = async {
        for _ in 0..CHURN {
            come_and_go(trial, &plan).await;
        }
    };
    let (ids, ()) = future::join(publishes, churn).await;
    let done = trial.tally().of(&plan.name);
    let is_done = |id: &MessageId| done.get(id.as_str()).is_some_and(|runs| runs.completed > 0);
    let rest: Vec<MessageId> = ids.into_iter().filter(|id| !is_done(id)).collect();
    trial.reader(&*publishing, &plan).await.complete_all(rest).await;
    Done::Kept
}

/// One that takes a few, completes every other, and leaves with the rest.
async fn come_and_go(trial: &Trial, plan: &QueuePlan) {
    let connection = trial.connect().await;
    let mut reader = trial.reader(&*connection, plan).await;
    let mut kept = Vec::new();
    for number in 0..trial.many() / CHURN / 2 {
        let Some(got) = reader.next_within(trial.silence()).await else { break };
        match number % 2 {
            0 => got.ack().await.expect("the delivery is ours to ack"),
            _ => kept.push(got),
        }
    }
    connection.close().await;
}
