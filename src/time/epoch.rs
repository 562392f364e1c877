//! Times as numbers since 1970, for databases, headers and files; and how long anything is held there. Reads no clock.
#![cfg_attr(not(feature = "full"), allow(dead_code, reason = "each transport and database needs some of it"))]

use std::time::{Duration, SystemTime};

/// The longest that anything in a database is held by one process: rows, ticks, projections. What seems to be held for longer
/// was noted by a clock that has been put back since.
pub(crate) const LONGEST_HOLD: Duration = Duration::from_secs(5 * 60);

/// How long after 1970 it is; nothing before.
pub(crate) fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The time so long after 1970; none if no clock can show it.
pub(crate) fn after_1970(since: Duration) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}

/// Whole milliseconds from 1970 until then; none before.
pub(crate) fn milliseconds_of(time: SystemTime) -> i64 {
    milliseconds(since_1970(time))
}

/// Nanoseconds; 292 years have a number.
pub(crate) fn nanoseconds(duration: Duration) -> i64 {
    duration.as_nanos().try_into().unwrap_or(i64::MAX)
}

/// The time as a number of units: negative before 1970.
pub(crate) fn number(time: SystemTime, units: fn(Duration) -> i64) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or_else(|before| -units(before.duration()), units)
}

/// The time that has this number; 1970 if no clock can show it.
pub(crate) fn time(number: i64, units: fn(u64) -> Duration) -> SystemTime {
    let distance = units(number.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if number < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
    time.unwrap_or(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_as_they_were() {
        for told in [0, 1, -1, 1_700_000_000_123, -1_700_000_000_123, i64::MAX, -i64::MAX] {
            assert_eq!(number(time(told, Duration::from_millis), milliseconds), told);
            assert_eq!(number(time(told, Duration::from_nanos), nanoseconds), told);
        }
        assert_eq!(after_1970(since_1970(time(5, Duration::from_secs))), Some(time(5, Duration::from_secs)));
    }

    #[test]
    fn what_no_clock_can_show_is_told_and_not_panicked_over() {
        assert_eq!(after_1970(Duration::MAX), None);
        assert_eq!(time(i64::MAX, |number| Duration::from_secs(2 * number)), SystemTime::UNIX_EPOCH);
        assert_eq!(since_1970(time(-1, Duration::from_secs)), Duration::ZERO, "before it there is nothing");
        assert_eq!((milliseconds(Duration::MAX), nanoseconds(Duration::MAX)), (i64::MAX, i64::MAX));
    }
}
