//! Requests to SNS: publishing to a topic.

use std::{sync::Arc, time::Duration};

use aws_sdk_sns::types::PublishBatchRequestEntry;
use tokio::time::Instant;

use super::{
    actions::Action,
    batch::{Desk, all_failed, outcomes},
    fault::{Fault, FaultKind},
    letter::{Letter, SNS_LIMIT, told},
    outlet::Sending,
    setup::Setup,
};

/// How long one try may take; a publish may need more than one.
pub(super) const TRY: Duration = Duration::from_secs(4);

/// Publishes to one topic.
pub(super) struct TopicDesk {
    pub(super) topic: String,
    pub(super) setup: Arc<Setup>,
}

impl Desk for TopicDesk {
    type Entry = Sending;

    const BYTES: usize = SNS_LIMIT;

    fn bytes(&self, sending: &Sending) -> usize {
        sending.letter.size()
    }

    fn lane<'a>(&self, sending: &'a Sending) -> Option<&'a str> {
        sending.lane()
    }

    fn until(&self, sending: &Sending) -> Instant {
        sending.until()
    }

    async fn send(&self, sendings: &[&Sending]) -> Vec<Result<(), Fault>> {
        match self.publish(sendings).await {
            Ok(outcomes) => outcomes,
            Err(fault) => {
                if fault.kind == FaultKind::Missing {
                    self.setup.directory.forget(&self.topic);
                }
                all_failed(sendings.len(), &fault)
            }
        }
    }

    fn settled(&self, sending: Sending, outcome: Result<(), Fault>) {
        sending.answered(outcome);
    }
}

impl TopicDesk {
    async fn publish(&self, sendings: &[&Sending]) -> Result<Vec<Result<(), Fault>>, Fault> {
        let clients = self.setup.clients().await.map_err(Fault::of_setup)?;
        let arn = self.setup.directory.topic(&self.topic, clients).await.map_err(Fault::unsent)?;
        let entries = sendings.iter().enumerate().map(|(place, sending)| entry(place, &sending.letter));
        let asked =
            clients.sns.publish_batch().topic_arn(&arn).set_publish_batch_request_entries(Some(entries.collect()));
        let answer = clients.call(TRY, asked.send()).await.map_err(|fault| fault.needing(Action::Publish, &arn))?;
        // An entry without an id of its own was not stored (P1).
        let done = answer.successful.unwrap_or_default().into_iter();
        let done = done.filter(|entry| entry.message_id.is_some()).filter_map(|entry| entry.id);
        let failed = answer.failed.unwrap_or_default().into_iter().map(|entry| {
            let fault = Fault::of_entry(&entry.code, entry.message.as_deref(), entry.sender_fault);
            (entry.id, fault)
        });
        Ok(outcomes(sendings.len(), done, failed))
    }
}

fn entry(place: usize, letter: &Letter) -> PublishBatchRequestEntry {
    let entry = PublishBatchRequestEntry::builder()
        .id(place.to_string())
        .message(&letter.body)
        .set_message_attributes(Some(told(letter.attributes.clone())));
    let entry = match &letter.order {
        Some(order) => entry.message_group_id(&order.group).message_deduplication_id(&order.deduplication),
        None => entry,
    };
    entry.build().expect("an id and a message are all it needs")
}
