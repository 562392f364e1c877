//! A schedule that is right: its times, one after the other.

use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use super::when::When;

/// How far back the latest time is looked for, in seconds, step by step: there may be very many.
const BACK: [u64; 5] = [60, 3_600, 86_400, 32 * 86_400, 400 * 86_400];

static UTC: TimeZone = TimeZone::UTC;

/// A schedule that is right.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(super) when: When,
    /// That which it names, or which the settings do.
    pub(super) zone: Option<TimeZone>,
    pub(super) immediately: bool,
    pub(super) jitter: Duration,
}

impl Plan {
    /// In UTC, with nothing else asked for.
    pub(super) fn of(when: When) -> Self {
        Self { when, zone: None, immediately: false, jitter: Duration::ZERO }
    }

    pub(super) fn zone(&self) -> &TimeZone {
        self.zone.as_ref().unwrap_or(&UTC)
    }

    /// The first time after this one.
    pub(super) fn next(&self, after: SystemTime) -> Option<SystemTime> {
        self.when.next(self.zone(), after)
    }

    /// All times after this one.
    pub(super) fn after(&self, time: SystemTime) -> impl Iterator<Item = SystemTime> {
        std::iter::successors(self.next(time), |time| self.next(*time))
    }

    /// The latest time that has come, of the first one and those after it.
    pub(super) fn latest(&self, first: SystemTime, now: SystemTime) -> SystemTime {
        let since = |seconds| now.checked_sub(Duration::from_secs(seconds)).filter(|from| *from > first);
        let latest_since = |from| self.after(from).take_while(|time| *time <= now).last();
        let near = BACK.into_iter().map_while(since).find_map(latest_since);
        near.or_else(|| latest_since(first)).unwrap_or(first)
    }
}
