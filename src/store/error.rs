//! What can go wrong between tegami and an event store.

use super::{Expected, Position, Version};
use crate::error::{Failure, Kind};

/// Why a store did not do what it was asked, or may not have.
pub type StoreError = Failure<StoreErrorKind>;

/// The causes of a [`StoreError`]. After every cause but `Unknown`, nothing of an append was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Others were faster: read again, and decide again.
    Conflict(Conflict),
    /// An event breaks its contract, or what is asked for cannot be meant; the text names it.
    Invalid,
    /// Some of these ids are recorded already, with other events or in another stream.
    Duplicate,
    /// Larger than a limit; the text names it.
    TooLarge,
    /// A recorded event cannot be read as what was asked for.
    Unreadable,
    /// Others write, or too many wait, up to the deadline.
    Busy,
    /// There is no room left: the disk, or the limit that was set.
    Full,
    /// The store cannot be reached.
    Unreachable,
    /// The store was made by another release, or is no store of tegami's.
    Mismatch,
    /// What is stored is damaged.
    Damaged,
    /// The store was closed.
    Closed,
    /// It may have been stored: the answer never came. The same append, with the same ids, finds out.
    Unknown,
}

/// What an append insisted on, and what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// The stream is at another version.
    Version {
        /// What the append insisted on.
        expected: Expected,
        /// Where the stream is.
        found: Version,
    },
    /// An event that matches the query was recorded after it was read.
    Query {
        /// Where that event is.
        found: Position,
    },
}

impl StoreErrorKind {
    /// Were others faster?
    pub const fn is_conflict(self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

impl Kind for StoreErrorKind {
    fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::Unreachable | Self::Unknown)
    }
}
