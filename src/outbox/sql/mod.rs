//! What the outboxes in databases have in common.
//!
//! No client of a database is named here.

use super::{DatabaseError, DatabaseErrorKind as Kind};
use crate::store::{StoreError, StoreErrorKind};

/// The most bytes that are taken at once, unless one row alone has more.
pub(super) const BYTES: usize = 8 * 1024 * 1024;

/// The error of the store that has the tables.
pub(crate) fn of_store(error: StoreError) -> DatabaseError {
    let kind = match error.kind() {
        StoreErrorKind::Busy => Kind::Busy,
        StoreErrorKind::Full => Kind::Full,
        StoreErrorKind::TooLarge => Kind::TooLarge,
        StoreErrorKind::Invalid => Kind::Invalid,
        StoreErrorKind::Duplicate => Kind::Statement,
        StoreErrorKind::Mismatch => Kind::Mismatch,
        StoreErrorKind::Damaged => Kind::Damaged,
        StoreErrorKind::Closed => Kind::Closed,
        StoreErrorKind::Unknown => Kind::Unknown,
        _ => Kind::Unreachable,
    };
    error.of_kind(kind)
}

/// The error of a transaction that events were to be appended in.
#[cfg(feature = "sqlite")]
pub(super) fn to_store(error: DatabaseError) -> StoreError {
    let kind = match error.kind() {
        Kind::Busy | Kind::TooLong => StoreErrorKind::Busy,
        Kind::Over | Kind::Closed => StoreErrorKind::Closed,
        Kind::Full => StoreErrorKind::Full,
        Kind::Invalid => StoreErrorKind::Invalid,
        Kind::TooLarge => StoreErrorKind::TooLarge,
        Kind::Mismatch => StoreErrorKind::Mismatch,
        Kind::Damaged => StoreErrorKind::Damaged,
        Kind::Unknown => StoreErrorKind::Unknown,
        Kind::Statement | Kind::Unreachable => StoreErrorKind::Unreachable,
    };
    error.of_kind(kind)
}

/// Why a row that nobody can read is parked.
pub(super) fn unreadable(reason: &str) -> String {
    format!("it cannot be read: {reason}")
}

/// As databases have numbers.
pub(crate) fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
