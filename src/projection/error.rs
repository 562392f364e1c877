//! What can go wrong for whoever asks about a projection, or takes it back.

use crate::{
    error::{Failure, Kind},
    outbox::DatabaseError,
    store::StoreError,
};

/// Why nothing is known of a projection, or nothing was done with it.
pub type ProjectionError = Failure<ProjectionErrorKind>;

/// The causes of a [`ProjectionError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProjectionErrorKind {
    /// It did not come so far in time.
    Late,
    /// It is run by somebody.
    Held,
    /// What should have been done with it failed, for the reason underneath; nothing of it lasts.
    Refused,
    /// Its checkpoint lies behind the end of the store, which was brought back to an earlier state.
    Astray,
    /// Database or store cannot be asked now.
    Unreachable,
    /// Database or store will not answer: it was closed, or is damaged, or is of another release.
    Unusable,
    /// It may have been done: the answer never came.
    Unknown,
}

impl Kind for ProjectionErrorKind {
    fn is_transient(self) -> bool {
        matches!(self, Self::Late | Self::Held | Self::Unreachable | Self::Unknown)
    }
}

/// The same, of the database.
pub(super) fn of_database(error: DatabaseError) -> ProjectionError {
    use crate::outbox::DatabaseErrorKind::Unknown;
    let kind = match error.kind() {
        Unknown => ProjectionErrorKind::Unknown,
        kind if kind.is_transient() => ProjectionErrorKind::Unreachable,
        _ => ProjectionErrorKind::Unusable,
    };
    error.of_kind(kind)
}

/// The same, of the store.
pub(super) fn of_store(error: StoreError) -> ProjectionError {
    let kind = match error.is_transient() {
        true => ProjectionErrorKind::Unreachable,
        false => ProjectionErrorKind::Unusable,
    };
    error.of_kind(kind)
}
