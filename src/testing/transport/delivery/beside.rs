//! Who looks at messages from beside: those they are meant for get all of them as before.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    contract::dead_letter_queue,
    publisher::Publisher,
    testing::transport::{Done, Trial, letter},
    transport::{QueuePlan, TransportErrorKind},
};

/// How many letters are posted.
const LETTERS: usize = 20;
/// How often it is looked into a queue, and for how long.
const PEEKS: usize = 3;
const PEEK: Duration = Duration::from_millis(300);

/// Who follows what flows gets a copy of all that is published from then on, and leaves nothing behind.
pub async fn d_11_followed(trial: &Trial) -> Done {
    let (running, sender) = (trial.listen("billing").await, trial.start(trial.service("mail").await).await);
    post(trial, sender.publisher(), 0..1).await;
    trial.tally().until_done(1).await;
    let outside = trial.connect().await;
    let name = format!("{}mail-tail", trial.prefix());
    let plan = trial.queues().remove(0);
    let beside = QueuePlan { dead_letters: dead_letter_queue(&name), name, retry_delays: Vec::new(), ..plan };
    let can = outside.capabilities();
    let followed = outside.tail(&beside).await;
    let done = match followed {
        Err(error) => {
            assert!(!can.durable || !can.per_instance, "it could: {error}");
            assert_eq!(error.kind(), TransportErrorKind::Unsupported, "{error}");
            Done::Refused
        }
        Ok(mut copies) => {
            let posted = post(trial, sender.publisher(), 1..LETTERS).await;
            let mut seen = BTreeSet::new();
            while !seen.is_superset(&posted) {
                for copy in copies.next(LETTERS).await.expect("it can be followed") {
                    seen.insert(copy.id.as_ref().map(ToString::to_string).unwrap_or_default());
                    copy.ack().await.expect("it is ours");
                }
            }
            trial.tally().until_done(LETTERS).await;
            Done::Kept
        }
    };
    outside.close().await;
    let left = trial.connect().await.dead_letters(&beside.name, 1).await;
    assert_eq!(left.map_err(|error| error.kind()), Err(TransportErrorKind::Missing), "nothing is left behind");
    for running in [sender, running] {
        running.stop().await.expect("no hook can fail");
    }
    done
}

/// D3: what somebody takes to look at, and gives back, comes to those who handle it.
pub async fn d_12_looked_at(trial: &Trial) -> Done {
    let (running, sender) = (trial.listen("billing").await, trial.start(trial.service("mail").await).await);
    let (outside, plan) = (trial.connect().await, trial.queues().remove(0));
    for peek in 0..PEEKS {
        let mut deliveries = outside.consume(&plan).await.expect("the queue can be read");
        let posting = post(trial, sender.publisher(), peek * LETTERS..(peek + 1) * LETTERS);
        let looking = async {
            let mut held = Vec::new();
            while let Ok(next) = tokio::time::timeout(PEEK, deliveries.next(LETTERS)).await {
                held.extend(next.expect("the queue can be read"));
            }
            held
        };
        let (_, held) = tokio::join!(posting, looking);
        drop(deliveries);
        for delivery in held {
            delivery.release().await.expect("it is ours");
        }
    }
    trial.tally().until_done(PEEKS * LETTERS).await;
    for running in [sender, running] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

async fn post(trial: &Trial, by: &Publisher, numbers: std::ops::Range<usize>) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for number in numbers {
        ids.insert(trial.post(by, &letter("a", number)).await.expect("somebody listens").to_string());
    }
    ids
}
