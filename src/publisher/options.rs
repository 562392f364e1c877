//! What one publish can ask for beside the event.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    envelope::{Envelope, MessageId},
    event::Value,
};

/// Choices for one publish, made in the closure of
/// [`publish_with`](super::Publisher::publish_with).
#[derive(Default)]
#[must_use]
pub struct PublishOptions {
    pub(super) id: Option<MessageId>,
    /// When it happened; now, unless it is known to have been earlier.
    pub(super) time: Option<SystemTime>,
    pub(super) via: Option<String>,
    pub(super) queue: Option<String>,
    pub(super) delay: Option<Delay>,
    pub(super) allow_unroutable: bool,
    pub(super) envelope: Option<Arc<dyn Envelope>>,
    pub(super) attributes: Vec<(Cow<'static, str>, Value)>,
}

/// Until when nobody sees a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Delay {
    For(Duration),
    Until(SystemTime),
}

impl Delay {
    /// How long that is, from this time of day.
    pub(super) fn left(self, now: SystemTime) -> Duration {
        match self {
            Self::For(delay) => delay,
            Self::Until(time) => time.duration_since(now).unwrap_or_default(),
        }
    }
}

impl PublishOptions {
    /// Uses this id: the same message sent again keeps its id (P6).
    pub fn id(mut self, id: MessageId) -> Self {
        self.id = Some(id);
        self
    }

    /// Publishes on the transport that was attached to the service under this name.
    pub fn via(mut self, transport: impl Into<String>) -> Self {
        self.via = Some(transport.into());
        self
    }

    /// Puts the message straight into this queue, past its topic and what a broker filters; whoever reads the queue
    /// applies the filter of its handler. The name is without the environment's prefix. A queue that is not there is an
    /// error (`Unroutable`).
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Nobody sees the message before this has passed. A transport that cannot keep it for so long refuses it; an
    /// [outbox](super::Publisher::in_transaction) keeps it for [`LONGEST_DELAY`](crate::outbox::LONGEST_DELAY), ten years,
    /// whatever the transport can.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(Delay::For(delay));
        self
    }

    /// Nobody sees the message before this time, as [`delay`](Self::delay) does it. A time that has passed is now.
    pub fn at(mut self, time: SystemTime) -> Self {
        self.delay = Some(Delay::Until(time));
        self
    }

    /// Adds an attribute beside those the contract declares. A declared name is refused, and so is one that begins
    /// with `tegami-`.
    pub fn attribute(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Nobody listening is not an error (P4).
    pub fn allow_unroutable(mut self) -> Self {
        self.allow_unroutable = true;
        self
    }

    /// Uses this envelope in place of the service's.
    pub fn envelope(mut self, envelope: impl Envelope) -> Self {
        self.envelope = Some(Arc::new(envelope));
        self
    }
}
