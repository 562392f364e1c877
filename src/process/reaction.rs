//! What a process decides: events to publish, timeouts to set and to cancel.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{event::Event, outbox::Row, publisher::Publisher, transport::PublishError};

/// What a process decides.
///
/// Two are equal if they have the same events, times and cancelled timeouts, in the same order.
#[must_use = "a process does what `react` answers"]
pub struct Reaction<V> {
    pub(crate) published: Vec<Sent<V>>,
    pub(super) timeouts: Vec<(Duration, Sent<V>)>,
    pub(super) cancelled: Vec<&'static str>,
}

/// An event, with its way out.
pub(crate) struct Sent<V> {
    pub(crate) event: V,
    seal: Arc<dyn Seals>,
}

/// An event whose type is known.
#[async_trait]
trait Seals: Send + Sync {
    async fn row(&self, publisher: &Publisher, delay: Duration) -> Result<Row, PublishError>;
}

#[async_trait]
impl<E: Event> Seals for E {
    async fn row(&self, publisher: &Publisher, delay: Duration) -> Result<Row, PublishError> {
        publisher.row(self, |options| options.delay(delay)).await
    }
}

impl<V> Reaction<V> {
    /// Nothing.
    pub fn none() -> Self {
        Self { published: Vec::new(), timeouts: Vec::new(), cancelled: Vec::new() }
    }

    /// Publishes this event; its stream has it, too.
    pub fn publish<E: Event + Into<V>>(mut self, event: E) -> Self {
        self.published.push(Sent::of(event));
        self
    }

    /// Has this event come when so much time has passed, unless it is cancelled before. It is published then, so one of its
    /// service's handlers must be the process's. A process has one timeout of a type: it takes the place of an earlier one.
    pub fn timeout<E: Event + Into<V>>(mut self, after: Duration, event: E) -> Self {
        self.timeouts.push((after, Sent::of(event)));
        self
    }

    /// Cancels the timeout of this type, if there is one. It does not come any more, even if it is on its way.
    pub fn cancel<E: Event + Into<V>>(mut self) -> Self {
        self.cancelled.push(E::CONTRACT.name);
        self
    }
}

impl<V> Sent<V> {
    fn of<E: Event + Into<V>>(event: E) -> Self {
        Self { event: event.clone().into(), seal: Arc::new(event) }
    }

    /// The message as it is kept, until it is due.
    pub(super) async fn row(&self, publisher: &Publisher, delay: Duration) -> Result<Row, PublishError> {
        self.seal.row(publisher, delay).await
    }
}

impl<V> Default for Reaction<V> {
    fn default() -> Self {
        Self::none()
    }
}

impl<V: Clone> Clone for Reaction<V> {
    fn clone(&self) -> Self {
        let Self { published, timeouts, cancelled } = self;
        Self { published: published.clone(), timeouts: timeouts.clone(), cancelled: cancelled.clone() }
    }
}

impl<V: Clone> Clone for Sent<V> {
    fn clone(&self) -> Self {
        Self { event: self.event.clone(), seal: self.seal.clone() }
    }
}

impl<V: PartialEq> PartialEq for Reaction<V> {
    fn eq(&self, other: &Self) -> bool {
        let Self { published, timeouts, cancelled } = self;
        *published == other.published && *timeouts == other.timeouts && *cancelled == other.cancelled
    }
}

impl<V: PartialEq> PartialEq for Sent<V> {
    fn eq(&self, other: &Self) -> bool {
        self.event == other.event
    }
}

impl<V: fmt::Debug> fmt::Debug for Reaction<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, timeouts, cancelled } = self;
        f.debug_struct("Reaction")
            .field("published", published)
            .field("timeouts", timeouts)
            .field("cancelled", cancelled)
            .finish()
    }
}

impl<V: fmt::Debug> fmt::Debug for Sent<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event.fmt(f)
    }
}
