//! A message as SQS handed it out.

use std::{
    collections::HashMap,
    str,
    time::{Duration, SystemTime},
};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Name};
use bytes::Bytes;

use super::{Attribute, Letter, Named, Order};
use crate::time::epoch::after_1970;

/// The most receives that a message can claim: a redrive policy allows no more.
const MOST_ATTEMPTS: u32 = 1_000;

/// A message as SQS handed it out, whoever sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Post {
    /// The id that SQS gave it in this queue.
    pub(crate) id: Option<String>,
    /// Text.
    pub(crate) body: Bytes,
    pub(crate) attributes: Named,
    /// How often it was received, this time included; from 1.
    pub(crate) attempt: u32,
    pub(crate) sent: Option<SystemTime>,
    pub(crate) first: Option<SystemTime>,
    pub(crate) group: Option<String>,
    /// What tells a resend of it; only FIFO queues have it.
    pub(crate) deduplication: Option<String>,
    /// Its place in its group, as a number; only FIFO queues have it.
    pub(crate) sequence: Option<String>,
    /// The broker has put it aside itself.
    pub(crate) is_moved: bool,
}

impl From<Message> for Post {
    fn from(message: Message) -> Self {
        let system = message.attributes.unwrap_or_default();
        let attributes = message.message_attributes.unwrap_or_default();
        Self {
            id: message.message_id,
            body: message.body.unwrap_or_default().into(),
            attributes: attributes.into_iter().map(|(name, value)| (name, Attribute::from(value))).collect(),
            attempt: attempt(&system),
            sent: moment(&system, &Name::SentTimestamp),
            first: moment(&system, &Name::ApproximateFirstReceiveTimestamp),
            group: system.get(&Name::MessageGroupId).cloned(),
            deduplication: system.get(&Name::MessageDeduplicationId).cloned(),
            sequence: system.get(&Name::SequenceNumber).cloned(),
            is_moved: system.contains_key(&Name::DeadLetterQueueSourceArn),
        }
    }
}

type System = HashMap<Name, String>;

fn attempt(system: &System) -> u32 {
    let said = system.get(&Name::ApproximateReceiveCount).and_then(|count| count.parse::<u64>().ok());
    let attempt = said.unwrap_or(1).clamp(1, MOST_ATTEMPTS.into());
    u32::try_from(attempt).expect("it was brought within bounds")
}

fn moment(system: &System, name: &Name) -> Option<SystemTime> {
    let millis = system.get(name)?.parse().ok()?;
    after_1970(Duration::from_millis(millis))
}

impl Post {
    /// The body.
    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("it came as text")
    }

    /// It came through a FIFO queue.
    pub(super) fn is_fifo(&self) -> bool {
        self.deduplication.is_some()
    }

    /// The same body once more, with these attributes, behind those of a group. It is another message to SQS, and so must
    /// not be taken for a resend of the first: what tells it is the id it has here.
    pub(super) fn again(&self, attributes: Named, group: Option<String>) -> Letter {
        let order = group.zip(self.id.clone()).filter(|_| self.is_fifo());
        let order = order.map(|(group, deduplication)| Order { group, deduplication });
        Letter { body: self.text().to_owned(), attributes, order }
    }
}
