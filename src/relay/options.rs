//! How a relay goes about its work.

use std::time::Duration;

/// How often an outbox is looked into for what other processes committed.
const POLL: Duration = Duration::from_secs(1);
/// How many rows are taken at once.
const BATCH: usize = 100;
/// How long a relay has the rows that it took.
const HOLD: Duration = Duration::from_secs(30);
/// How often a message may be refused (T4).
const REFUSALS: u32 = 10;

/// Choices for one relay, made in the closure of [`Service::outbox_with`](crate::Service::outbox_with).
#[derive(Debug, Clone)]
#[must_use]
pub struct RelayOptions {
    pub(crate) poll: Duration,
    pub(crate) batch: usize,
    pub(crate) hold: Duration,
    pub(crate) refusals: u32,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self { poll: POLL, batch: BATCH, hold: HOLD, refusals: REFUSALS }
    }
}

impl RelayOptions {
    /// How often it looks for what other processes committed; what this one commits, it knows at once. At least 1 ms.
    /// Default: 1 s.
    pub fn poll(self, interval: Duration) -> Self {
        Self { poll: interval.max(Duration::from_millis(1)), ..self }
    }

    /// How many rows it takes at once, at least one. Default: 100.
    pub fn batch(self, rows: usize) -> Self {
        Self { batch: rows.max(1), ..self }
    }

    /// How long no other relay gets the rows that it took, 1 s to 5 min. So long they wait if it is killed. It begins to
    /// send none in the second half of it. Default: 30 s.
    pub fn hold(self, hold: Duration) -> Self {
        Self { hold: hold.clamp(Duration::from_secs(1), Duration::from_secs(5 * 60)), ..self }
    }

    /// After how many refusals a message is parked, at least one. Default: 10.
    pub fn refusals(self, most: u32) -> Self {
        Self { refusals: most.max(1), ..self }
    }
}
