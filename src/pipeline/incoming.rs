//! One delivery on its way to a handler, as consume middleware sees it.

use std::sync::Arc;

use super::Route;
use crate::{
    envelope::{Head, MessageId, Payload},
    error::BoxError,
    handler::{Facts, HandlerError},
    lifecycle::{LettingGo, Stop},
    middleware::Work,
    publisher::Publisher,
};

/// An opened message with the handler it goes to.
#[derive(Clone)]
pub struct Incoming {
    /// What the message says beside its event.
    pub head: Head,
    /// The event's bytes, not yet decoded.
    pub payload: Payload,
    /// What it came as, where upcasts have made another of it.
    pub(super) older: Option<Box<Payload>>,
    pub(super) id: MessageId,
    /// Did the message come with this id?
    pub(super) identified: bool,
    pub(super) attempt: u32,
    pub(super) queue: Arc<str>,
    pub(super) route: Arc<Route>,
    pub(super) publisher: Publisher,
    pub(super) letting_go: LettingGo,
    pub(super) stop: Stop,
}

impl Incoming {
    /// The name of the event whose handler will run.
    pub fn event(&self) -> &'static str {
        self.route.contract.name
    }

    /// The message's id.
    pub fn message_id(&self) -> &MessageId {
        &self.id
    }

    /// Number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The queue the message came from.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// The payload, and what the handler's context is made of.
    pub(super) fn into_parts(self) -> (Payload, Facts) {
        let Self { head, payload, id, attempt, queue, publisher, letting_go, stop, .. } = self;
        // Where a foreign publisher gave it none, it has ours from here on.
        let head = head.id(id.clone());
        (payload, Facts { head, id, attempt, queue, publisher, letting_go, stop })
    }
}

impl Work for Incoming {
    type Done = ();
    type Error = HandlerError;

    fn failed(error: BoxError) -> HandlerError {
        HandlerError::retry(error)
    }
}
