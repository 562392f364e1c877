//! Messages that are kept until their time has come: what a process tells itself, unless it is cancelled.

use std::time::Duration;

use async_trait::async_trait;

use super::{DatabaseError, Row, Transaction};
use crate::envelope::MessageId;

/// A transaction that keeps messages for later, and can take them back.
///
/// A timeout waits until its time has come; whoever relays the database's outbox then has it published (at least once, with
/// its id). It is known until it was [handled](Self::end_timeout), so that one which is cancelled on its way is known to be.
///
/// Implementations MUST have all of this be a part of the transaction.
#[async_trait]
pub trait Timeouts: Transaction {
    /// Keeps a message for as long. It takes the place of what its owner has with the same event.
    ///
    /// # Errors
    /// It is not kept; the transaction should be given up.
    async fn set_timeout(&mut self, owner: &str, row: &Row, after: Duration) -> Result<(), DatabaseError>;

    /// Cancels what this owner has: of one event, or all.
    ///
    /// # Errors
    /// It may not be cancelled; the transaction should be given up.
    async fn cancel_timeouts(&mut self, owner: &str, event: Option<&str>) -> Result<(), DatabaseError>;

    /// Whether the message with this id is a timeout, and may be handled.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn timeout(&mut self, id: &MessageId) -> Result<Timeout, DatabaseError>;

    /// Forgets the timeout with this id, if there is one.
    ///
    /// # Errors
    /// It may not be forgotten; the transaction should be given up.
    async fn end_timeout(&mut self, id: &MessageId) -> Result<(), DatabaseError>;
}

/// What is known of a message that may be a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timeout {
    /// It is none.
    None,
    /// Its time has come.
    Due,
    /// It was cancelled when it was on its way already.
    Cancelled,
}
