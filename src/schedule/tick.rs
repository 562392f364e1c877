//! What a run is given.

use std::{fmt, sync::Arc, time::SystemTime};

use tokio_util::sync::CancellationToken;

use crate::{
    envelope::MessageId,
    event::Event,
    lifecycle::Stop,
    publisher::{PublishOptions, Publisher},
    transport::PublishError,
};

/// One tick of a schedule: when it was planned, the service's state, and a publisher.
///
/// Clones are cheap.
pub struct Tick<S = ()> {
    facts: Arc<Facts>,
    state: Arc<S>,
}

/// What is known about the tick.
pub(crate) struct Facts {
    pub(super) name: Arc<str>,
    pub(super) planned: SystemTime,
    pub(super) publisher: Publisher,
    pub(super) cancelled: CancellationToken,
    pub(super) stop: Stop,
}

impl<S> Tick<S> {
    pub(super) fn new(facts: Facts, state: Arc<S>) -> Self {
        Self { facts: Arc::new(facts), state }
    }

    /// The service's state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The time the run was planned for: the same on every replica, and when it is run late.
    pub fn planned(&self) -> SystemTime {
        self.facts.planned
    }

    /// The schedule's name.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// The service's publisher. No message caused what is published here: it is a conversation that the run begins.
    pub fn publisher(&self) -> &Publisher {
        &self.facts.publisher
    }

    /// Publishes an event.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub async fn publish<E: Event>(&self, event: &E) -> Result<MessageId, PublishError> {
        self.publisher().publish(event).await
    }

    /// Publishes an event in a way of its own.
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

    /// Publishes many events, with an answer for each, in order.
    pub async fn publish_all<'a, E: Event>(
        &self,
        events: impl IntoIterator<Item = &'a E>,
    ) -> Vec<Result<MessageId, PublishError>> {
        self.publisher().publish_all(events).await
    }

    /// Ends when the run's time is up: its timeout, a forced stop of the service, or a lease that another replica has.
    pub async fn cancelled(&self) {
        self.facts.cancelled.cancelled().await;
    }

    /// Asks the service to stop, as SIGTERM would.
    pub fn stop(&self) {
        self.facts.stop.request(0);
    }

    /// Asks the service to stop, and its process to end with this code.
    pub fn exit(&self, code: u8) {
        self.facts.stop.request(code);
    }
}

impl<S> Clone for Tick<S> {
    fn clone(&self) -> Self {
        Self { facts: self.facts.clone(), state: self.state.clone() }
    }
}

impl<S> fmt::Debug for Tick<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tick")
            .field("name", &self.facts.name)
            .field("planned", &self.facts.planned)
            .finish_non_exhaustive()
    }
}
