//! What the leases in databases have in common.
//!
//! No client of a database is named here.

use std::time::{Duration, SystemTime};

use super::{Claim, LeaseError, LeaseErrorKind};
use crate::{
    error::{Failure, Kind},
    outbox::sql::milliseconds,
};

/// The longest lease. One that seems to hold for longer was noted by a clock that has been put back since, and is
/// shortened to that: to end it at once would have two run the tick.
pub(super) const LONGEST: Duration = Duration::from_secs(5 * 60);
/// How long it is remembered that a tick was left unfinished, from the end of its lease.
pub(super) const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How many of those that are older are forgotten with a tick that is taken.
pub(super) const AT_ONCE: i64 = 100;

/// How long the lease holds, in milliseconds.
pub(super) fn lease(claim: &Claim) -> i64 {
    milliseconds(claim.lease.min(LONGEST))
}

/// Milliseconds since 1970.
pub(super) fn number(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or_else(|before| -milliseconds(before.duration()), milliseconds)
}

/// The time that has this number.
pub(super) fn time(number: i64) -> SystemTime {
    let distance = Duration::from_millis(number.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if number < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
    time.unwrap_or(epoch)
}

/// The error of a database that did not answer.
pub(super) fn away<K: Kind>(error: Failure<K>) -> LeaseError {
    error.of_kind(LeaseErrorKind::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_as_they_were() {
        for milliseconds in [0, 1, -1, 1_700_000_000_123, -1_700_000_000_123] {
            assert_eq!(number(time(milliseconds)), milliseconds);
        }
    }
}
