//! Empties the queues of a case, dead letters included, when all is over.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, timeout};

use super::{Pace, Trial, letters};
use crate::{
    testing::ledger::{Ended, Entry, Rest},
    transport::{Delivery, QueuePlan, Transport},
};

/// How long a queue must stay silent to count as empty.
const SILENCE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(15 * 60)];
/// How much longer what is missing may take to come by real time: a broker may hide it for the sake of somebody who is
/// gone, and the machine may be busy.
const MISSING: Duration = Duration::from_secs(15);

/// How long that is in this time.
pub(super) fn silence(pace: Pace) -> Duration {
    SILENCE[usize::from(pace == Pace::Virtual)]
}

/// Notes every dead letter and everything left over.
pub(super) async fn drain(trial: &Trial, on: &dyn Transport, plan: &QueuePlan) {
    let mut dead = BTreeSet::new();
    note_dead(trial, on, plan, &mut dead).await;
    let before = trial.rest(on);
    let mut deliveries = on.consume(plan).await.expect("the queue can be read");
    let latest = Instant::now() + if trial.pace == Pace::Real { MISSING } else { Duration::ZERO };
    loop {
        match timeout(silence(trial.pace), deliveries.next(100)).await {
            Ok(next) => {
                for delivery in next.expect("the queue can be read") {
                    note(trial, plan, &before, delivery).await;
                }
            }
            Err(_) if Instant::now() < latest && trial.rest(on).missing().contains_key(&plan.name) => {
                note_dead(trial, on, plan, &mut dead).await;
            }
            Err(_) => return,
        }
    }
}

async fn note_dead(trial: &Trial, on: &dyn Transport, plan: &QueuePlan, noted: &mut BTreeSet<String>) {
    let letters = on.dead_letters(&plan.name, usize::MAX).await.expect("dead letters can be read");
    let known = std::mem::take(noted);
    for letter in letters {
        let id = letter.id().map_or_else(|| "(no id)".to_owned(), ToString::to_string);
        noted.insert(id.clone());
        if known.contains(&id) {
            continue;
        }
        let (subscription, checksum) = (plan.name.clone(), letters::checksum(&letter.sealed));
        let reason = Some(letter.reason().to_string()).filter(|_| !letter.error().is_empty());
        trial.ledger.write(Entry::Dead { id, subscription, reason, checksum });
    }
    noted.extend(known);
}

/// What may come is completed as a handler would; all else is left over.
async fn note(trial: &Trial, plan: &QueuePlan, before: &Rest, delivery: Delivery) {
    let id = delivery.id.as_ref().map_or_else(|| "(no id)".to_owned(), ToString::to_string);
    let (subscription, checksum) = (plan.name.clone(), letters::checksum(&delivery.sealed));
    if before.may_come(&subscription, &id) {
        // Who has published it may be another process.
        let key = trial.tally.key_of(&id).or_else(|| letters::key(&delivery.sealed));
        let attempt = delivery.attempt;
        let begun = (id.clone(), subscription.clone());
        trial.ledger.write(Entry::RunBegin { id: begun.0, subscription: begun.1, attempt, key, checksum });
        trial.ledger.write(Entry::RunEnd { id, subscription, attempt, ended: Ended::Ok, retry_after: None });
    } else {
        trial.ledger.write(Entry::Left { id, subscription, checksum });
    }
    delivery.ack().await.expect("the delivery is ours to ack");
}
