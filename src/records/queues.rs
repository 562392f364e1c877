//! What queues of recorded events need of a database: for each a mark, which is a checkpoint, and rows for what is behind
//! the mark and not done.

use std::time::SystemTime;

use async_trait::async_trait;

use crate::{
    outbox::DatabaseError,
    projection::{Checkpoints, Id},
    store::Position,
};

/// How a database has it that an event was begun, where it has the reason of dead letters: for whoever does not know it, the
/// event waits.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) const BEGUN: &str = "begun";

/// The checkpoint of a queue.
pub(super) fn id_of(queue: &str) -> Id {
    Id::new(format!("queue:{queue}"), 0)
}

/// An event that its queue is not done with, or has given up on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// The event's place in the store.
    pub position: Position,
    /// What must stay in order together.
    pub key: Option<String>,
    /// The attempt that comes next; of one that was given up on, the last.
    pub attempt: u32,
    /// When it was first handed out, if it was.
    pub first: Option<SystemTime>,
    /// Not before.
    pub due: SystemTime,
    /// What it waits for.
    pub standing: Standing,
}

impl Kept {
    /// One that may be handed out for this attempt at once.
    pub fn new(position: Position, attempt: u32) -> Self {
        let (due, standing) = (SystemTime::UNIX_EPOCH, Standing::Waits);
        Self { position, key: None, attempt, first: None, due, standing }
    }
}

/// What an event waits for that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The next attempt.
    Waits,
    /// The same, and its handler was begun by a reader that may have ended by it.
    Begun,
    /// It was given up on, and was put back: its reader has not seen it yet.
    Back,
    /// It was given up on, for this reason, as JSON: somebody who looks after it.
    Dead(String),
}

/// Who goes through dead letters.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sorting {
    /// The queue.
    pub queue: String,
    /// An id that nobody else has.
    pub sorter: String,
    /// The time of day.
    pub now: SystemTime,
    /// Nobody else gets the same before.
    pub until: SystemTime,
}

impl Sorting {
    /// Of this queue, by somebody with this id, between these times.
    pub fn new(queue: impl Into<String>, sorter: impl Into<String>, now: SystemTime, until: SystemTime) -> Self {
        Self { queue: queue.into(), sorter: sorter.into(), now, until }
    }
}

/// How many events are kept for a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Those that may be handed out now.
    pub due: u64,
    /// Those that were given up on.
    pub dead: u64,
}

impl Counts {
    /// So many of each.
    pub fn new(due: u64, dead: u64) -> Self {
        Self { due, dead }
    }
}

/// A database that keeps, for queues of recorded events, what is not done.
///
/// A queue's low-water mark is the [checkpoint](Checkpoints) of `queue:<name>`, version 0: every event of the queue up to
/// there is done with, or kept here.
///
/// Implementations MUST
/// - have what is given a transaction be a part of it: undone with it, and seen by nobody before its commit;
/// - number what is kept anew each time, upwards, and use no number twice: by it, dead letters are in the order in which
///   they were given up on;
/// - let each dead letter be taken by one sorter at a time.
///
/// The well-known mistake: noting in one transaction that an event waits, and moving the mark in another. A crash between
/// the two then loses the event, or has it twice.
#[async_trait]
pub trait Queues: Checkpoints {
    /// Notes that these are done with, and that these are kept, in place of what was kept for the same positions.
    ///
    /// # Errors
    /// Nothing of it is noted.
    async fn note(&self, tx: &mut Self::Tx, queue: &str, done: &[Position], kept: &[Kept])
    -> Result<(), DatabaseError>;

    /// Those that wait or were begun, in the order of their positions.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn kept(&self, queue: &str) -> Result<Vec<Kept>, DatabaseError>;

    /// Those that were put back, in the order in which they were given up on, at most so many.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn back(&self, queue: &str, most: usize) -> Result<Vec<Kept>, DatabaseError>;

    /// Those that were given up on, in that order, at most so many.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn dead(&self, queue: &str, most: usize) -> Result<Vec<(u64, Kept)>, DatabaseError>;

    /// How many there are.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn counts(&self, queue: &str, now: SystemTime) -> Result<Counts, DatabaseError>;

    /// The number of the one that was given up on last; 0, if there is none.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn last_dead(&self, queue: &str) -> Result<u64, DatabaseError>;

    /// Takes dead letters that no other sorter has: those with numbers after the first and up to the second, in order, at
    /// most so many.
    ///
    /// # Errors
    /// None were taken.
    async fn take_dead(
        &self,
        tx: &mut Self::Tx,
        sorting: &Sorting,
        between: (u64, u64),
        most: usize,
    ) -> Result<Vec<(u64, Kept)>, DatabaseError>;

    /// Puts back a dead letter that this sorter has, for attempt 1; was it there?
    ///
    /// # Errors
    /// It stays.
    async fn put_back(&self, tx: &mut Self::Tx, sorting: &Sorting, number: u64) -> Result<bool, DatabaseError>;

    /// Deletes a dead letter that this sorter has; was it there?
    ///
    /// # Errors
    /// It stays.
    async fn drop_dead(&self, tx: &mut Self::Tx, sorting: &Sorting, number: u64) -> Result<bool, DatabaseError>;

    /// Lets others have what this sorter has taken.
    ///
    /// # Errors
    /// They get it when the sorter's time is over.
    async fn let_go(&self, tx: &mut Self::Tx, sorting: &Sorting) -> Result<(), DatabaseError>;

    /// Deletes what is kept for a queue of events after this position; how many they were.
    ///
    /// # Errors
    /// They stay.
    async fn delete_after(&self, tx: &mut Self::Tx, queue: &str, after: Position) -> Result<u64, DatabaseError>;
}
