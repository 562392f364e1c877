//! How a projector goes about its work.

use std::time::Duration;

use super::checkpoints::LONGEST;

/// How many events are handled in one transaction at most.
const BATCH: usize = 500;
/// After how long a transaction takes no further event. While it is open, nobody else writes to an SQLite file.
const OPEN_FOR: Duration = Duration::from_millis(100);
/// How long a handler has for one event.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often an event is tried again, soon, before the projection stands still.
const RETRIES: u32 = 5;
/// How long a projection that stands still waits before it tries the event again.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a projector has a projection, unless it says that it goes on.
const HOLD: Duration = Duration::from_secs(30);
/// How often a projector that waits, for its turn or for events, looks where the projection is.
const POLL: Duration = Duration::from_secs(1);

/// Choices for one projection, made in the closure of [`Service::projection_with`](crate::Service::projection_with).
#[derive(Debug, Clone)]
#[must_use]
pub struct ProjectionOptions {
    pub(super) batch: usize,
    pub(super) open_for: Duration,
    pub(super) timeout: Duration,
    pub(super) retries: u32,
    pub(super) again: Duration,
    pub(super) hold: Duration,
    pub(super) poll: Duration,
}

impl Default for ProjectionOptions {
    fn default() -> Self {
        Self {
            batch: BATCH,
            open_for: OPEN_FOR,
            timeout: TIMEOUT,
            retries: RETRIES,
            again: AGAIN,
            hold: HOLD,
            poll: POLL,
        }
    }
}

impl ProjectionOptions {
    /// How many events are handled in one transaction, at least one and at most this many. Default: 500.
    pub fn batch(self, events: usize) -> Self {
        Self { batch: events.max(1), ..self }
    }

    /// After how long a transaction takes no further event; it has at least one. While it is open, nobody else writes to an
    /// SQLite file. Default: 100 ms.
    pub fn open_for(self, longest: Duration) -> Self {
        Self { open_for: longest, ..self }
    }

    /// How long a handler has for one event. Default: 30 s; on SQLite the transaction may end it before.
    pub fn timeout(self, longest: Duration) -> Self {
        Self { timeout: longest, ..self }
    }

    /// How often an event is tried again after it failed, soon and then less soon, before the projection stands still.
    /// Default: 5 times, within about four seconds.
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// How long a projection that stands still waits before it tries the event again; no longer than a third of the hold.
    /// Default: 10 s.
    pub fn again(self, after: Duration) -> Self {
        Self { again: after.max(Duration::from_millis(1)), ..self }
    }

    /// How long no other projector gets the projection, 1 s to 5 min: so long nothing happens if the process that runs it is
    /// killed. It says three times as often that it goes on. Default: 30 s.
    pub fn hold(self, hold: Duration) -> Self {
        Self { hold: hold.clamp(Duration::from_secs(1), LONGEST), ..self }
    }

    /// How often a projector looks that waits for its turn, because another process runs the projection; and one for which
    /// there are no events, whether it was reset. At least 1 ms. Default: 1 s.
    pub fn poll(self, interval: Duration) -> Self {
        Self { poll: interval.max(Duration::from_millis(1)), ..self }
    }

    /// How often a projector says that it goes on.
    pub(super) fn renewal(&self) -> Duration {
        self.hold / 3
    }
}
