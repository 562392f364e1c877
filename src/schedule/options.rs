//! What a schedule's handler asks for beside its times.

use std::time::Duration;

/// What happens at a tick while an earlier run goes on, on this replica or another one (J3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overlap {
    /// The tick is left out, and counted.
    #[default]
    Skip,
    /// The tick waits until the run has ended.
    Queue,
    /// So many runs go on at once; a tick beyond is left out, and counted.
    Parallel(usize),
}

/// What becomes of ticks for which nobody ran in time: the process was down or suspended, the clock was put forward, or
/// the replica that ran one died (J2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Missed {
    /// One run makes up for all of them.
    #[default]
    Once,
    /// Each of them is run, one after the other.
    All,
    /// None is run.
    Skip,
}

/// Choices for one schedule, made in the closure of [`schedule_with`](crate::Service::schedule_with).
#[derive(Debug, Default)]
#[must_use]
pub struct ScheduleOptions {
    pub(super) name: Option<String>,
    pub(super) overlap: Overlap,
    pub(super) missed: Missed,
    pub(super) timeout: Option<Duration>,
    pub(super) reach: Reach,
}

/// Which replicas run a tick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reach {
    #[default]
    OneOfAll,
    EachInstance,
}

impl ScheduleOptions {
    /// Is known by this name: 1 to 128 printable characters of ASCII. Default: the name of the function; that of a
    /// closure is its schedule. Replicas know each other's runs by it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What happens at a tick while an earlier run goes on. Default: it is skipped.
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// What becomes of ticks that nobody ran in time. Default: one run makes up for all of them.
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }

    /// How long a run may take. Default: an hour.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Runs on every replica, not on one of them.
    pub fn per_instance(mut self) -> Self {
        self.reach = Reach::EachInstance;
        self
    }
}
