//! What a handler knows beside its event.

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    envelope::{Head, MessageId},
    event::{Attributes, Event},
    lifecycle::{LettingGo, Stop},
    outbox::Transaction,
    publisher::{InTransaction, PublishOptions, Publisher},
    transport::PublishError,
};

/// The delivery being handled, the service's state, and a publisher that knows the cause.
///
/// Clones are cheap.
pub struct Context<S = ()> {
    delivery: Arc<Facts>,
    state: Arc<S>,
}

/// What is known about the delivery.
pub(crate) struct Facts {
    pub(crate) head: Head,
    pub(crate) id: MessageId,
    pub(crate) attempt: u32,
    pub(crate) queue: Arc<str>,
    pub(crate) publisher: Publisher,
    pub(crate) letting_go: LettingGo,
    pub(crate) stop: Stop,
}

impl<S> Context<S> {
    pub(crate) fn new(delivery: Facts, state: Arc<S>) -> Self {
        Self { delivery: Arc::new(delivery), state }
    }

    /// The service's state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The message's id, the same in every copy of it.
    pub fn message_id(&self) -> &MessageId {
        &self.delivery.id
    }

    /// Number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.delivery.attempt
    }

    /// The conversation this message belongs to: the id of the message that began it.
    pub fn correlation_id(&self) -> &MessageId {
        self.delivery.head.correlation_id.as_ref().unwrap_or(&self.delivery.id)
    }

    /// The message whose handling caused this one.
    pub fn causation_id(&self) -> Option<&MessageId> {
        self.delivery.head.causation_id.as_ref()
    }

    /// All that the message says beside its event: what is appended to an event store because of it takes its
    /// conversation and trace from here.
    pub fn head(&self) -> &Head {
        &self.delivery.head
    }

    /// When the message was made, by its maker's clock.
    pub fn time(&self) -> Option<SystemTime> {
        self.delivery.head.time
    }

    /// The service that made the message.
    pub fn source(&self) -> Option<&str> {
        self.delivery.head.source.service.as_deref()
    }

    /// What must stay in order together.
    pub fn key(&self) -> Option<&str> {
        self.delivery.head.key.as_deref()
    }

    /// What travelled beside the payload.
    pub fn attributes(&self) -> &Attributes {
        &self.delivery.head.attributes
    }

    /// The queue the message came from.
    pub fn queue(&self) -> &str {
        &self.delivery.queue
    }

    /// A publisher that fills in correlation and causation, to keep or to hand on.
    pub fn publisher(&self) -> Publisher {
        self.delivery.publisher.caused_by(&self.delivery.id, &self.delivery.head)
    }

    /// A publisher for events that this one caused, inside a transaction: they go out once it is committed.
    pub fn in_transaction<'a, T: Transaction>(&self, tx: &'a mut T) -> InTransaction<'a, T> {
        self.publisher().in_transaction(tx)
    }

    /// Publishes an event that this one caused; correlation and causation are filled in.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub async fn publish<E: Event>(&self, event: &E) -> Result<MessageId, PublishError> {
        self.publisher().publish(event).await
    }

    /// Publishes an event that this one caused, in a way of its own.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub async fn publish_with<E: Event>(
        &self,
        event: &E,
        choose: impl FnOnce(PublishOptions) -> PublishOptions,
    ) -> Result<MessageId, PublishError> {
        self.publisher().publish_with(event, choose).await
    }

    /// Publishes many events that this one caused, with an answer for each, in order.
    pub async fn publish_all<'a, E: Event>(
        &self,
        events: impl IntoIterator<Item = &'a E>,
    ) -> Vec<Result<MessageId, PublishError>> {
        self.publisher().publish_all(events).await
    }

    /// Ends when this delivery's time is up: its timeout, a forced stop of the service, or the loss of the connection that
    /// brought it, after which somebody else may have it. After a stop or a loss the handler is dropped 5 s later, after its
    /// timeout at once.
    pub async fn cancelled(&self) {
        self.delivery.letting_go.begun().await;
    }

    /// Asks the service to stop, as SIGTERM would.
    pub fn stop(&self) {
        self.delivery.stop.request(0);
    }

    /// Asks the service to stop, and its process to end with this code.
    pub fn exit(&self, code: u8) {
        self.delivery.stop.request(code);
    }
}

impl<S> Clone for Context<S> {
    fn clone(&self) -> Self {
        Self { delivery: self.delivery.clone(), state: self.state.clone() }
    }
}

impl<S> fmt::Debug for Context<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("message_id", &self.delivery.id)
            .field("attempt", &self.delivery.attempt)
            .field("queue", &self.delivery.queue)
            .finish_non_exhaustive()
    }
}
