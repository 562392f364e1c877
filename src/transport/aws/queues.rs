//! Requests to SQS: putting letters into a queue, taking messages out, and asking for more time.

use std::{sync::Arc, time::Duration};

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    QueueAttributeName, SendMessageBatchRequestEntry,
};
use tokio::time::Instant;

use super::{
    actions::Action,
    batch::{Desk, all_failed, outcomes},
    fault::Fault,
    holding::{Change, Done, Holding},
    letter::{SQS_LIMIT, told},
    outlet::{Carrier, Sending},
    setup::{CALL, Setup},
    topics::TRY,
};

/// How many messages wait in a queue; none, if that cannot be had. Who may not ask works on without it.
pub(super) async fn waiting(setup: &Setup, queue: &str) -> Option<u64> {
    let clients = setup.clients().await.ok()?;
    let url = setup.directory.queue(queue, clients).await.ok()?;
    let waiting = QueueAttributeName::ApproximateNumberOfMessages;
    let asking = clients.sqs.get_queue_attributes().queue_url(url).attribute_names(waiting.clone());
    let answer = clients.ask(CALL, asking.send()).await.ok()?;
    answer.attributes?.get(&waiting)?.parse().ok()
}

/// Puts letters into queues.
pub(super) struct Sqs;

impl Carrier for Sqs {
    const BYTES: usize = SQS_LIMIT;

    async fn carry(&self, setup: &Setup, queue: &str, sendings: &[&Sending]) -> Result<Vec<Result<(), Fault>>, Fault> {
        let clients = setup.clients().await.map_err(Fault::of_setup)?;
        let url = setup.directory.queue(queue, clients).await.map_err(Fault::unsent)?;
        let entries = sendings.iter().enumerate().map(|(place, sending)| entry(place, sending));
        let asked = clients.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries.collect()));
        let answer = clients.call(TRY, asked.send()).await.map_err(|fault| fault.needing(Action::SendMessage, &url))?;
        let done = answer.successful.into_iter().filter(|stored| {
            let sent = stored.id.parse().ok().and_then(|place: usize| sendings.get(place));
            sent.is_some_and(|sent| checksum(&sent.letter.body) == stored.md5_of_message_body)
        });
        Ok(outcomes(sendings.len(), done.map(|stored| stored.id), failed(answer.failed)))
    }
}

/// SQS counts in whole seconds; never too early (R3).
pub(super) fn whole_seconds(duration: Duration) -> i32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

/// SQS says what it has stored by its MD5 (RFC 1321), and what it hands out (P1, P9).
pub(super) fn checksum(text: &str) -> String {
    use md5::{Digest, Md5};
    format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()))
}

fn entry(place: usize, Sending { letter, delay, .. }: &Sending) -> SendMessageBatchRequestEntry {
    let entry = SendMessageBatchRequestEntry::builder()
        .id(place.to_string())
        .message_body(&letter.body)
        .set_message_attributes(Some(told(letter.attributes.clone())));
    let entry = match &letter.order {
        Some(order) => entry.message_group_id(&order.group).message_deduplication_id(&order.deduplication),
        None if delay.is_zero() => entry,
        None => entry.delay_seconds(whole_seconds(*delay)),
    };
    entry.build().expect("an id and a body are all it needs")
}

/// What failed of a batch, by the ids of its entries.
pub(super) fn failed(entries: Vec<BatchResultErrorEntry>) -> impl Iterator<Item = (String, Fault)> {
    entries.into_iter().map(|entry| {
        let fault = Fault::of_entry(&entry.code, entry.message.as_deref(), entry.sender_fault);
        (entry.id, fault)
    })
}

/// Deletes from one queue what is done.
pub(super) struct DoneDesk(pub(super) Arc<Holding>);

impl Desk for DoneDesk {
    type Entry = Done;

    const BYTES: usize = usize::MAX;

    fn bytes(&self, _: &Done) -> usize {
        0
    }

    fn until(&self, done: &Done) -> Instant {
        self.0.until(done.number)
    }

    async fn send(&self, done: &[&Done]) -> Vec<Result<(), Fault>> {
        let all = async {
            let (clients, url) = self.0.way().await?;
            let entries = done.iter().enumerate().map(|(place, done)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string());
                entry.receipt_handle(&done.receipt).build().expect("an id and a receipt are all it needs")
            });
            let asked = clients.sqs.delete_message_batch().queue_url(&url).set_entries(Some(entries.collect()));
            let answer =
                clients.call(TRY, asked.send()).await.map_err(|fault| fault.needing(Action::DeleteMessage, &url))?;
            let gone = answer.successful.into_iter().map(|gone| gone.id);
            Ok(outcomes(done.len(), gone, failed(answer.failed)))
        };
        all.await.unwrap_or_else(|fault| all_failed(done.len(), &fault))
    }

    fn settled(&self, done: Done, outcome: Result<(), Fault>) {
        self.0.deleted(done, outcome);
    }
}

/// Says of one queue's messages when others may see them.
pub(super) struct ChangeDesk(pub(super) Arc<Holding>);

impl Desk for ChangeDesk {
    type Entry = Change;

    const BYTES: usize = usize::MAX;

    fn bytes(&self, _: &Change) -> usize {
        0
    }

    /// A renewal never overtakes what comes after it: that would hide a message again which was to be seen.
    fn lane<'a>(&self, change: &'a Change) -> Option<&'a str> {
        Some(&change.receipt)
    }

    fn until(&self, change: &Change) -> Instant {
        self.0.until_changed(change).unwrap_or_else(|| self.0.setup.clock.instant())
    }

    async fn send(&self, changes: &[&Change]) -> Vec<Result<(), Fault>> {
        let counts = |change: &Change| self.0.until_changed(change).is_some();
        let (now, late): (Vec<_>, Vec<_>) = changes.iter().enumerate().partition(|(_, change)| counts(change));
        let all = async {
            if now.is_empty() {
                return Ok(changes.iter().map(|_| Ok(())).collect());
            }
            let (clients, url) = self.0.way().await?;
            let entries: Vec<_> =
                now.into_iter().map(|(place, change)| shown(place, &change.receipt, change.after)).collect();
            let asked = clients.sqs.change_message_visibility_batch().queue_url(&url).set_entries(Some(entries));
            let answer = clients
                .call(TRY, asked.send())
                .await
                .map_err(|fault| fault.needing(Action::ChangeMessageVisibility, &url))?;
            let changed = answer.successful.into_iter().map(|changed| changed.id);
            let late = late.iter().map(|(place, _)| place.to_string());
            Ok(outcomes(changes.len(), changed.chain(late), failed(answer.failed)))
        };
        all.await.unwrap_or_else(|fault| all_failed(changes.len(), &fault))
    }

    fn settled(&self, change: Change, outcome: Result<(), Fault>) {
        self.0.changed(change, outcome);
    }
}

/// A message that others see after a while.
pub(super) fn shown(place: usize, receipt: &str, after: Duration) -> ChangeMessageVisibilityBatchRequestEntry {
    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(place.to_string());
    let entry = entry.receipt_handle(receipt).visibility_timeout(whole_seconds(after));
    entry.build().expect("an id and a receipt are all it needs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_in_hex_with_all_its_digits() {
        assert_eq!(checksum(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(checksum("jk8ssl"), "0000000018e6137ac2caab16074784a6");
    }
}
