//! Delayed messages that can be cancelled: what a process tells itself, should nothing else come.

use async_trait::async_trait;

use super::{DatabaseError, Row, Transaction};
use crate::envelope::MessageId;

/// A transaction that knows which delayed messages can be cancelled, and cancels them.
///
/// A timeout is a delayed row of the outbox. It is known until it was [handled](Self::end_timeout), so that one which is
/// cancelled on its way is known to be.
///
/// Implementations MUST have all of this be a part of the transaction.
#[async_trait]
pub trait Timeouts: Transaction {
    /// Puts this row, which says when it is due. It takes the place of what its owner has with the same event.
    ///
    /// # Errors
    /// It is not kept; the transaction should be given up.
    async fn set_timeout(&mut self, owner: &str, row: &Row) -> Result<(), DatabaseError>;

    /// Cancels what this owner has: of one event, or all. One that a relay has had, whatever it told of it, may be on its way:
    /// it stays known as cancelled until it was handled.
    ///
    /// # Errors
    /// It may not be cancelled; the transaction should be given up.
    async fn cancel_timeouts(&mut self, owner: &str, event: Option<&str>) -> Result<(), DatabaseError>;

    /// Whether the message with this id is a timeout of this owner, and may be handled. To all others it is none.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn timeout(&mut self, owner: &str, id: &MessageId) -> Result<Timeout, DatabaseError>;

    /// Forgets the timeout of this owner with this id, if there is one.
    ///
    /// # Errors
    /// It may not be forgotten; the transaction should be given up.
    async fn end_timeout(&mut self, owner: &str, id: &MessageId) -> Result<(), DatabaseError>;
}

/// What is known of a message that may be a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timeout {
    /// It is none, or somebody else's.
    None,
    /// Its time has come, or will.
    Due,
    /// It was cancelled when it was on its way already.
    Cancelled,
}

impl Timeout {
    /// What a database has of it: whether it was cancelled, if it is there.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(super) fn noted(cancelled: Option<bool>) -> Self {
        match cancelled {
            None => Self::None,
            Some(false) => Self::Due,
            Some(true) => Self::Cancelled,
        }
    }
}
