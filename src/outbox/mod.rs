//! Transactions that messages are a part of: the traits that databases implement, and the words they are spoken in.
//!
//! An outbox holds messages that were committed with a change of state, until a relay has published them; an inbox holds
//! the ids of messages whose effects were committed. What is in a message, a database does not look at. The guide is
//! `docs::outbox`.

mod error;
#[cfg(feature = "postgres")]
pub mod postgres;
mod row;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod timeouts;

pub use error::{DatabaseError, DatabaseErrorKind};
pub use row::{Due, Kept, Row};
pub use timeouts::{Timeout, Timeouts};

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::envelope::MessageId;

/// How long a message can be delayed in an outbox: ten years.
pub const LONGEST_DELAY: Duration = Duration::from_secs(3_652 * 24 * 60 * 60);

/// A transaction that messages can be put into.
///
/// Implementations MUST let nobody see the row before the transaction is committed, and nobody ever if it is not (T1).
#[async_trait]
pub trait Transaction: Send {
    /// Puts a message into the outbox, as a part of this transaction.
    ///
    /// # Errors
    /// It was not put there; the transaction should be given up.
    async fn put(&mut self, row: &Row) -> Result<(), DatabaseError>;
}

/// The messages that are to be published.
///
/// Implementations MUST
/// - hand out the rows of a lane in the order in which they were committed, and none while an earlier one of its lane is
///   held by somebody else or waits for its time (T3); what is parked keeps nobody waiting;
/// - not hand out a row before it is [due](Due), and then keep no other waiting for it: delayed rows have no lane;
/// - not hand out a row again before its hold has ended, and then hand it out with the same message (T2);
/// - show every committed row sooner or later, also where transactions end in another order than they drew their
///   numbers (T3).
///
/// The well-known mistake: asking for `number > last`. What is committed late is then never published.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Which one it is, for logs: the same for all that share its rows.
    fn name(&self) -> String;

    /// Takes rows to be published, for a while; none, if none may go now.
    ///
    /// # Errors
    /// The database cannot be asked.
    ///
    /// # Cancel safety
    /// What was taken may be held until the hold ends.
    async fn take(&self, claim: &Claim) -> Result<Vec<Claimed>, DatabaseError>;

    /// Tells what became of rows that were taken. Of a row that somebody else has taken meanwhile, only that it was sent
    /// counts.
    ///
    /// # Errors
    /// It may not have been noted: rows that were sent may be handed out once more.
    async fn settle(&self, claim: &Claim, fates: &[(u64, Fate)]) -> Result<(), DatabaseError>;

    /// Waits until rows may have been committed since this was asked with an answer of `seen`; the answer for the next
    /// time. It may return early, and may know of no other process.
    async fn later_than(&self, seen: u64) -> u64;

    /// How long it is until the next delayed row is due, of those that are not yet; none if there are none. By default
    /// nobody knows, and it is seen at the next look.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn next_due(&self, _claim: &Claim) -> Result<Option<Duration>, DatabaseError> {
        Ok(None)
    }

    /// How many rows wait to be published, delayed ones too. Those that are parked are not among them, nor are timeouts that
    /// no relay has had.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn waiting(&self) -> Result<u64, DatabaseError>;

    /// Forgets the oldest of the ids that were marked so long ago, at most so many; how many they were (I4).
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn forget(&self, older_than: Duration, most: usize) -> Result<usize, DatabaseError>;
}

/// A database with an outbox and an inbox.
///
/// A transaction that is dropped is undone.
#[async_trait]
pub trait Database: Outbox + Clone {
    /// Its transactions.
    type Tx: Transaction + 'static;

    /// Begins a transaction.
    ///
    /// # Errors
    /// None was begun, for others kept it waiting up to a deadline or the database cannot be reached.
    async fn begin(&self) -> Result<Self::Tx, DatabaseError>;

    /// Makes all that was done in it last, and sees to it that the outbox is looked into soon.
    ///
    /// # Errors
    /// `Unknown`: it may have been committed. Every other kind: certainly not.
    async fn commit(&self, tx: Self::Tx) -> Result<(), DatabaseError>;

    /// Notes in this transaction that a message is handled. While another transaction that notes the same is open, it
    /// waits or fails (I3).
    ///
    /// # Errors
    /// It is not noted.
    async fn mark(&self, tx: &mut Self::Tx, mark: &Mark) -> Result<Marked, DatabaseError>;
}

/// A relay's wish for rows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claim {
    /// Who asks: an id that no other relay has.
    pub relay: String,
    /// How many rows at most.
    pub most: usize,
    /// How long nobody else gets them, 5 minutes at most.
    pub hold: Duration,
    /// The time of day, as the relay knows it. A database that several machines share goes by its own clock instead.
    pub now: SystemTime,
}

impl Claim {
    /// A wish of this relay.
    pub fn new(relay: impl Into<String>, most: usize, hold: Duration, now: SystemTime) -> Self {
        Self { relay: relay.into(), most, hold, now }
    }
}

/// A row that was taken.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claimed {
    /// What it is settled by.
    pub number: u64,
    /// How often it was refused.
    pub refusals: u32,
    /// The message.
    pub row: Row,
}

impl Claimed {
    /// A row that was refused so often.
    pub fn new(number: u64, refusals: u32, row: Row) -> Self {
        Self { number, refusals, row }
    }
}

/// A row that is not tried any more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parked {
    /// The message's id.
    pub id: String,
    /// The event's name.
    pub event: String,
    /// The message's key, if it has one.
    pub key: Option<String>,
    /// How often it was refused.
    pub refusals: u32,
    /// Why, the last time.
    pub reason: String,
}

/// What became of a row that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Published: it goes.
    Sent,
    /// Not tried, or tried while the broker was away: it may be taken at once, and nothing is counted (T4).
    Back,
    /// Refused: it is counted, and tried again after this long, 5 minutes at most; its lane waits.
    Refused {
        /// How long it waits.
        again_in: Duration,
        /// Why.
        reason: String,
    },
    /// Refused for good: it stays and is not tried again; its lane goes on without it.
    Parked {
        /// Why.
        reason: String,
    },
}

/// A message that is handled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// For whom: ids are kept apart for each of them (I2).
    pub subscription: String,
    /// Which message.
    pub id: MessageId,
    /// A hash of its payload.
    pub digest: [u8; 32],
}

impl Mark {
    /// This message, for this subscription.
    pub fn new(subscription: impl Into<String>, id: MessageId, digest: [u8; 32]) -> Self {
        Self { subscription: subscription.into(), id, digest }
    }
}

/// What was known of a message when it was marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Marked {
    /// Nothing: it is noted now.
    New,
    /// It was handled before.
    Known,
    /// Another message with the same id was handled before.
    Other,
}
