//! The settings of a broker in memory.

use std::{sync::Arc, time::Duration};

use super::{Memory, broker::Broker};
use crate::time::Clock;

/// Settings of a [`Memory`], each with a default.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    capacity: usize,
    publish_deadline: Duration,
    clock: Option<Clock>,
    record: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self { capacity: 100_000, publish_deadline: Duration::from_secs(10), clock: None, record: 0 }
    }
}

impl Builder {
    /// The most messages a queue holds, in flight or not, and the most dead letters it keeps (100,000).
    pub fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// How long a publish waits for room (10 s).
    pub fn publish_deadline(mut self, deadline: Duration) -> Self {
        self.publish_deadline = deadline;
        self
    }

    /// The clock to live by (the machine's).
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Remembers the newest accepted publishes, so many of them, for [`Memory::published`] (none).
    pub fn record(mut self, messages: usize) -> Self {
        self.record = messages;
        self
    }

    /// A new broker with these settings.
    pub fn build(self) -> Memory {
        Memory::connected_to(Arc::new(self.broker()))
    }

    pub(super) fn broker(self) -> Broker {
        let clock = self.clock.unwrap_or_else(Clock::system);
        Broker::new(self.capacity, self.publish_deadline, clock, self.record)
    }
}
