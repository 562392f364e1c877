//! Reads a queue without a service, and notes what it read and how it was settled.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::{letters, tally::Tally};
use crate::{
    envelope::MessageId,
    testing::ledger::{Ended, Entry, Ledger},
    transport::{Deliveries, Delivery, Reason, SettleError},
};

/// How long a reader waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The consuming end of one queue.
pub struct Reader {
    deliveries: Box<dyn Deliveries>,
    waiting: VecDeque<Delivery>,
    desk: Arc<Desk>,
}

/// Where deliveries of one queue are noted.
struct Desk {
    queue: String,
    ledger: Ledger,
    tally: Arc<Tally>,
}

impl Reader {
    pub(super) fn new(deliveries: Box<dyn Deliveries>, queue: &str, ledger: Ledger, tally: Arc<Tally>) -> Self {
        let desk = Arc::new(Desk { queue: queue.to_owned(), ledger, tally });
        Self { deliveries, waiting: VecDeque::new(), desk }
    }

    /// The next delivery, begun; the bound of the case ends the wait.
    ///
    /// # Panics
    /// The queue can no longer be read.
    pub async fn next(&mut self) -> Got {
        loop {
            if let Some(delivery) = self.waiting.pop_front() {
                return Got::begin(delivery, self.desk.clone());
            }
            let next = self.deliveries.next(1).await.expect("the queue can be read");
            assert!(!next.is_empty(), "`next` must wait for at least one delivery");
            self.waiting.extend(next);
        }
    }

    /// The next delivery, if one comes in this time.
    pub async fn next_within(&mut self, time: Duration) -> Option<Got> {
        tokio::time::timeout(time, self.next()).await.ok()
    }

    /// Completes so many deliveries.
    ///
    /// # Panics
    /// The queue can no longer be read, or an ack is refused.
    pub async fn complete(&mut self, count: usize) {
        for _ in 0..count {
            self.next().await.ack().await.expect("the delivery is ours to ack");
        }
    }

    /// Completes what comes until all of these messages have been completed.
    ///
    /// # Panics
    /// One of them does not come.
    pub async fn complete_all(&mut self, ids: impl IntoIterator<Item = MessageId>) {
        let mut missing: BTreeSet<String> = ids.into_iter().map(|id| id.to_string()).collect();
        while !missing.is_empty() {
            let next = self.next_within(PATIENCE).await;
            let got = next.unwrap_or_else(|| panic!("{} messages never came: {missing:?}", missing.len()));
            missing.remove(got.id());
            got.ack().await.expect("the delivery is ours to ack");
        }
    }

    /// Completes everything, until nothing comes any more.
    pub async fn complete_rest(&mut self, silence: Duration) {
        while let Some(got) = self.next_within(silence).await {
            got.ack().await.expect("the delivery is ours to ack");
        }
    }
}

/// One delivery in work.
pub struct Got {
    /// The delivery.
    pub delivery: Delivery,
    id: String,
    desk: Arc<Desk>,
}

impl Got {
    fn begin(delivery: Delivery, desk: Arc<Desk>) -> Self {
        let id = delivery.id.as_ref().map_or_else(|| "(no id)".to_owned(), ToString::to_string);
        desk.tally.begun(&desk.queue, &id);
        desk.ledger.write(Entry::RunBegin {
            id: id.clone(),
            subscription: desk.queue.clone(),
            attempt: delivery.attempt,
            key: desk.tally.key_of(&id),
            checksum: letters::checksum(&delivery.sealed),
        });
        Self { delivery, id, desk }
    }

    /// The message's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Settles as done.
    ///
    /// # Errors
    /// The transport's answer.
    pub async fn ack(self) -> Result<(), SettleError> {
        // Noted before it is told: what is told and not noted would look like a loss.
        self.desk.tally.completed(&self.desk.queue, &self.id);
        self.ended(Ended::Ok, None);
        self.delivery.ack().await
    }

    /// Settles as failed, to be delivered again after a while.
    ///
    /// # Errors
    /// The transport's answer.
    pub async fn retry(self, after: Duration) -> Result<(), SettleError> {
        self.ended(Ended::Err, Some(after));
        self.delivery.retry(after).await
    }

    /// Gives the delivery back untouched.
    ///
    /// # Errors
    /// The transport's answer.
    pub async fn release(self) -> Result<(), SettleError> {
        self.ended(Ended::Err, None);
        self.delivery.release().await
    }

    /// Gives up on the message.
    ///
    /// # Errors
    /// The transport's answer.
    pub async fn dead_letter(self, reason: Reason) -> Result<(), SettleError> {
        self.ended(Ended::Err, None);
        self.delivery.dead_letter(reason).await
    }

    fn ended(&self, ended: Ended, retry_after: Option<Duration>) {
        let (id, subscription) = (self.id.clone(), self.desk.queue.clone());
        let attempt = self.delivery.attempt;
        self.desk.ledger.write(Entry::RunEnd { id, subscription, attempt, ended, retry_after });
    }
}
