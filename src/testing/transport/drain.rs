//! Empties the queues of a case, dead letters included, when all is over.

use std::time::Duration;

use super::{Pace, Trial, letters};
use crate::{
    testing::ledger::Entry,
    transport::{QueuePlan, Transport},
};

/// How long a queue must stay silent to count as empty.
const SILENCE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(15 * 60)];

/// How long that is in this time.
pub(super) fn silence(pace: Pace) -> Duration {
    SILENCE[usize::from(pace == Pace::Virtual)]
}

/// Notes every dead letter and everything left over.
pub(super) async fn drain(trial: &Trial, on: &dyn Transport, plan: &QueuePlan) {
    let letters = on.dead_letters(&plan.name, usize::MAX).await.expect("dead letters can be read");
    for letter in letters {
        let id = letter.id().map_or_else(|| "(no id)".to_owned(), ToString::to_string);
        let (subscription, checksum) = (plan.name.clone(), letters::checksum(&letter.sealed));
        let reason = Some(letter.reason().to_string()).filter(|_| !letter.error().is_empty());
        trial.ledger.write(Entry::Dead { id, subscription, reason, checksum });
    }
    let mut deliveries = on.consume(plan).await.expect("the queue can be read");
    while let Ok(next) = tokio::time::timeout(silence(trial.pace), deliveries.next(100)).await {
        for delivery in next.expect("the queue can be read") {
            let id = delivery.id.as_ref().map_or_else(|| "(no id)".to_owned(), ToString::to_string);
            let (subscription, checksum) = (plan.name.clone(), letters::checksum(&delivery.sealed));
            trial.ledger.write(Entry::Left { id, subscription, checksum });
            delivery.ack().await.expect("the delivery is ours to ack");
        }
    }
}
