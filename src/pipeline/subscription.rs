//! What a handler asks for beside its event.

use std::{sync::Arc, time::Duration};

use super::Retry;
use crate::{envelope::Envelope, event::Filter, transport::Reach};

/// What becomes of the other events of a key when one of them was given up on (O5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OnDead {
    /// They go on without it, if order is promised at all.
    #[default]
    Continue,
    /// They wait until it is handled.
    Halt,
}

/// Choices for one subscription, made in the closure of `on_with`.
#[must_use]
pub struct Subscription<E> {
    pub(crate) filter: Option<Filter<E>>,
    pub(crate) via: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) timeout: Duration,
    pub(crate) retry: Retry,
    pub(crate) on_dead: OnDead,
    pub(crate) reach: Reach,
    pub(crate) queue: Option<String>,
    pub(crate) envelope: Option<Arc<dyn Envelope>>,
}

impl<E> Default for Subscription<E> {
    fn default() -> Self {
        Self {
            filter: None,
            via: None,
            group: None,
            concurrency: None,
            timeout: Duration::from_secs(60),
            retry: Retry::default(),
            on_dead: OnDead::default(),
            reach: Reach::default(),
            queue: None,
            envelope: None,
        }
    }
}

impl<E> Subscription<E> {
    /// Wants only the events that pass.
    pub fn filter(mut self, filter: Filter<E>) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Listens on the transport that was attached to the service under this name.
    pub fn via(mut self, transport: impl Into<String>) -> Self {
        self.via = Some(transport.into());
        self
    }

    /// Shares the queue `<service>-<group>` with the other subscriptions of the group.
    ///
    /// The group's events that are kept in order share a second one, `<service>-<group>.fifo`.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Every instance of the service gets each event, instead of one of them: for caches to clear, for connected
    /// clients to tell.
    ///
    /// Each instance reads a queue of its own, which begins when it starts and goes when it ends: what was published
    /// meanwhile, or was not yet handled, is gone with it. So it is where the connection is lost: the queue is made anew
    /// on the next one. What was given up on is kept as always, for all instances together; it cannot be redriven, for
    /// there is no queue that all of them share.
    pub fn per_instance(mut self) -> Self {
        self.reach = Reach::PerInstance;
        self
    }

    /// Reads the queue of this name, after the environment's prefix, instead of one that is named by the service and
    /// the event: to stand beside a service that reads it already. 1 to 80 of A-Z a-z 0-9 - _ and the full stop.
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.queue = Some(name.into());
        self
    }

    /// Handles at most this many deliveries of the queue at once, 1 to 65,535. Default: 10.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = Some(concurrency);
        self
    }

    /// Cancels the handler after this long; the attempt has then failed. Default: 60 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// When to try again. Default: see [`Retry`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Never goes on without an event: where one would become a dead letter, it stays and is tried again after the
    /// plan's longest delay, for ever, and the later events of its key wait. Other keys go on.
    ///
    /// For events in order only, whose plan has a delay; all of a group halt, or none. The log says at each attempt
    /// that the key is halted. (In a test, `settle` waits for a halted key for ever: let time pass with `advance`.)
    pub fn halt_on_dead(mut self) -> Self {
        self.on_dead = OnDead::Halt;
        self
    }

    /// Reads another envelope than the service's. A group reads the service's.
    pub fn envelope(mut self, envelope: impl Envelope) -> Self {
        self.envelope = Some(Arc::new(envelope));
        self
    }
}
