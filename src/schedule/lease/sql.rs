//! What the leases in databases have in common.
//!
//! No client of a database is named here.

use std::time::{Duration, SystemTime};

use super::{Claim, LeaseError, LeaseErrorKind};
use crate::{
    error::{Failure, Kind},
    time::epoch::{self, milliseconds},
};

/// The longest lease. One that seems to hold for longer is shortened to that: to end it at once would have two run the tick.
pub(super) const LONGEST: Duration = epoch::LONGEST_HOLD;
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
    epoch::number(time, milliseconds)
}

/// The time that has this number.
pub(super) fn time(number: i64) -> SystemTime {
    epoch::time(number, Duration::from_millis)
}

/// The error of a database that did not answer.
pub(super) fn away<K: Kind>(error: Failure<K>) -> LeaseError {
    error.of_kind(LeaseErrorKind::Unavailable)
}
