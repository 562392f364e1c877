//! A message of SNS whose signature was checked.

use std::time::SystemTime;

/// A message that SNS has signed. It holds only what the signature covers: the attributes of a notification are not among
/// it, nor is the address for unsubscribing.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed {
    pub(super) kind: SignedKind,
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) subject: Option<String>,
    pub(super) message: String,
    pub(super) time: SystemTime,
    pub(super) subscribe_url: Option<String>,
}

/// What SNS sends to an HTTP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedKind {
    /// A message that was published to the topic.
    Notification,
    /// The endpoint is to be subscribed: asking for the [`subscribe_url`](Signed::subscribe_url) does it.
    SubscriptionConfirmation,
    /// The endpoint was unsubscribed: asking for the [`subscribe_url`](Signed::subscribe_url) takes it back.
    UnsubscribeConfirmation,
}

impl SignedKind {
    /// The kind of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Notification, Self::SubscriptionConfirmation, Self::UnsubscribeConfirmation]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// The name that SNS gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

impl Signed {
    /// What it is.
    pub fn kind(&self) -> SignedKind {
        self.kind
    }

    /// The id that SNS gave it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The topic's ARN, one of those on the list.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The subject of a notification, if it has one.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// What was published, or a text for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// When SNS signed it.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// Where to confirm: on SNS's own host, in the topic's region. A notification has none.
    pub fn subscribe_url(&self) -> Option<&str> {
        self.subscribe_url.as_deref()
    }
}
