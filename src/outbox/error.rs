//! What can go wrong between tegami and a database.

use crate::error::{Failure, Kind};

/// Why a database did not do what it was asked, or may not have.
pub type DatabaseError = Failure<DatabaseErrorKind>;

/// The causes of a [`DatabaseError`]. After every cause but `Unknown`, nothing of the transaction lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseErrorKind {
    /// Others kept it waiting, up to the deadline.
    Busy,
    /// The transaction was open for longer than is allowed, and was undone.
    TooLong,
    /// The transaction is over: it was ended, or undone, before.
    Over,
    /// A statement of the caller's failed. The transaction goes on, without it.
    Statement,
    /// There is no room left: the disk, or the limit that was set.
    Full,
    /// What it was given cannot be meant: a URL, a name, a text with a character that it has not.
    Invalid,
    /// Larger than the database takes.
    TooLarge,
    /// The database cannot be reached.
    Unreachable,
    /// It was made by another release, or is no database of tegami's.
    Mismatch,
    /// What is stored is damaged.
    Damaged,
    /// It was closed.
    Closed,
    /// It may have been committed: the answer never came.
    Unknown,
}

impl Kind for DatabaseErrorKind {
    fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::TooLong | Self::Full | Self::Unreachable | Self::Unknown)
    }
}
