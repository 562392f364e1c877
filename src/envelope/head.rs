//! What a message says beside its event, and who made it. Plain data: envelopes write it, the pipeline reads it.

use std::{borrow::Cow, time::SystemTime};

use super::MessageId;
use crate::event::Attributes;

/// What a message says beside its event.
///
/// # Examples
/// ```
/// use tegami::envelope::Head;
///
/// let head = Head::new().event("shop.orders.v1.OrderPaid").service("billing").key("o-1");
/// assert_eq!(head.source.service.as_deref(), Some("billing"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Head {
    /// The message; absent only where a foreign publisher gave none.
    pub id: Option<MessageId>,
    /// The event's name; absent where a foreign publisher gave none.
    pub event: Option<Cow<'static, str>>,
    /// When the message was made.
    pub time: Option<SystemTime>,
    /// The service that made it.
    pub source: Source,
    /// The topic it was published to, without the environment's prefix.
    pub topic: Option<Cow<'static, str>>,
    /// The conversation: the id of the message that began it.
    pub correlation_id: Option<MessageId>,
    /// The message whose handling caused this one.
    pub causation_id: Option<MessageId>,
    /// What must stay in order together.
    pub key: Option<String>,
    /// What travels beside the payload.
    pub attributes: Attributes,
}

impl Head {
    /// A head that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The message's id.
    #[must_use]
    pub fn id(self, id: MessageId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The event's name.
    #[must_use]
    pub fn event(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { event: Some(name.into()), ..self }
    }

    /// When the message was made.
    #[must_use]
    pub fn time(self, time: SystemTime) -> Self {
        Self { time: Some(time), ..self }
    }

    /// The name of the service that made it.
    #[must_use]
    pub fn service(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.source.service = Some(name.into());
        self
    }

    /// The running instance that made it.
    #[must_use]
    pub fn instance(mut self, uuid: impl Into<Cow<'static, str>>) -> Self {
        self.source.instance = Some(uuid.into());
        self
    }

    /// The topic it is published to.
    #[must_use]
    pub fn topic(self, topic: impl Into<Cow<'static, str>>) -> Self {
        Self { topic: Some(topic.into()), ..self }
    }

    /// The message that began the conversation.
    #[must_use]
    pub fn correlation_id(self, id: MessageId) -> Self {
        Self { correlation_id: Some(id), ..self }
    }

    /// The message whose handling caused this one.
    #[must_use]
    pub fn causation_id(self, id: MessageId) -> Self {
        Self { causation_id: Some(id), ..self }
    }

    /// What must stay in order together.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// What travels beside the payload.
    #[must_use]
    pub fn attributes(self, attributes: Attributes) -> Self {
        Self { attributes, ..self }
    }
}

/// Who made a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The service's name.
    pub service: Option<Cow<'static, str>>,
    /// The running instance, a UUID.
    pub instance: Option<Cow<'static, str>>,
}
