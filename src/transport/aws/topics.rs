//! Requests to SNS: publishing to a topic.

use std::time::Duration;

use aws_sdk_sns::types::PublishBatchRequestEntry;

use super::{
    actions::Action,
    batch::outcomes,
    fault::Fault,
    letter::{Letter, SNS_LIMIT, told},
    outlet::{Carrier, Sending},
    setup::Setup,
};

/// How long one try may take; a publish may need more than one.
pub(super) const TRY: Duration = Duration::from_secs(4);

/// Publishes to topics.
pub(super) struct Sns;

impl Carrier for Sns {
    const BYTES: usize = SNS_LIMIT;

    async fn carry(&self, setup: &Setup, topic: &str, sendings: &[&Sending]) -> Result<Vec<Result<(), Fault>>, Fault> {
        let clients = setup.clients().await.map_err(Fault::of_setup)?;
        let arn = setup.directory.topic(topic, clients).await.map_err(Fault::unsent)?;
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
