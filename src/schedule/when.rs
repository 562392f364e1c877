//! When a schedule comes, in time zones that change their clocks.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::time::epoch::{after_1970, since_1970};

/// A calendar by the clock on the wall, which knows no zones.
pub(super) trait Local: Send + Sync + 'static {
    /// The first time that fits after this one, or at it.
    fn next(&self, from: DateTime, inclusive: bool) -> Option<DateTime>;

    /// What it counts by.
    fn pace(&self) -> Pace;
}

/// What a calendar counts by, when the clock is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Hours that pass: every one is like the others. A repeated hour has its times again, a skipped one has none.
    Hours,
    /// The clock on the wall: a skipped time comes at the first moment after it, a repeated one comes once.
    Wall,
}

/// When a schedule comes.
#[derive(Clone)]
pub(super) enum When {
    /// By a calendar.
    Calendar(Arc<dyn Local>),
    /// Again and again, counted from 1 January 1970 in UTC: every replica counts the same.
    Every(Duration),
    /// Once, by the clock on the wall.
    Once(DateTime),
    /// Once.
    Moment(Timestamp),
}

impl fmt::Debug for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            When::Calendar(_) => "calendar",
            When::Every(_) => "every",
            When::Once(_) | When::Moment(_) => "once",
        })
    }
}

impl When {
    /// The first time after this one.
    pub(super) fn next(&self, zone: &TimeZone, after: SystemTime) -> Option<SystemTime> {
        if let When::Every(interval) = self {
            return multiple(*interval, after);
        }
        let after = Timestamp::try_from(after).ok()?;
        let next = match self {
            When::Calendar(local) if local.pace() == Pace::Hours => by_hours(&**local, zone, after),
            When::Calendar(local) => by_wall(&**local, zone, after),
            When::Once(time) => instant(zone, *time).filter(|time| *time > after),
            When::Moment(time) => Some(*time).filter(|time| *time > after),
            When::Every(_) => None,
        };
        next.map(SystemTime::from)
    }
}

fn multiple(interval: Duration, after: SystemTime) -> Option<SystemTime> {
    let since = since_1970(after).as_nanos();
    let step = interval.as_nanos().max(1);
    let next = (since / step + 1).checked_mul(step)?;
    let (seconds, nanos) = (u64::try_from(next / 1_000_000_000).ok()?, (next % 1_000_000_000) as u32);
    after_1970(Duration::new(seconds, nanos))
}

/// Between two changes of the clock every hour is like the others, so each stretch is looked at alone.
fn by_hours(local: &dyn Local, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let (mut from, mut inclusive) = (after, false);
    loop {
        let offset = zone.to_offset(from);
        let due = offset.to_timestamp(local.next(offset.to_datetime(from), inclusive)?).ok()?;
        match zone.following(from).next() {
            Some(change) if due >= change.timestamp() => (from, inclusive) = (change.timestamp(), true),
            _ => return Some(due),
        }
    }
}

/// In the second of two equal hours, times of the first are found again, and passed over.
fn by_wall(local: &dyn Local, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut from = zone.to_datetime(after);
    loop {
        let due = local.next(from, false)?;
        let time = instant(zone, due)?;
        if time > after {
            return Some(time);
        }
        from = due;
    }
}

/// When the clock on the wall shows this for the first time, or has just passed it.
fn instant(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_zoned(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(time).ok(),
        // By the new offset the time is before the change.
        AmbiguousOffset::Gap { after, .. } => {
            let early = after.to_timestamp(time).ok()?;
            zone.following(early).next().map(|change| change.timestamp())
        }
    }
}
