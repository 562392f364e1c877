//! What projections need of a database: their checkpoints, in the transactions that hold what they made of the events.

use std::{
    error::Error,
    fmt,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;

use crate::{
    outbox::{Database, DatabaseError},
    store::Position,
    time::epoch::LONGEST_HOLD,
};

/// Which projection: versions of one name are beside each other, each with a checkpoint of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Id {
    /// The projection's name.
    pub name: String,
    /// Which version of it.
    pub version: u32,
}

impl Id {
    /// This version of the projection of this name.
    pub fn new(name: impl Into<String>, version: u32) -> Self {
        Self { name: name.into(), version }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// How far a projection has come, and who runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// Which projection.
    pub id: Id,
    /// All of its events up to here are in what it has made of them.
    pub position: Position,
    /// Who runs it, or did until the hold ended.
    pub projector: Option<String>,
    /// Nobody else runs it before.
    pub held_until: SystemTime,
}

impl Checkpoint {
    /// A projection that has come so far, and that nobody runs.
    pub fn new(id: Id, position: Position) -> Self {
        Self { id, position, projector: None, held_until: SystemTime::UNIX_EPOCH }
    }

    /// The same, run by this projector until then.
    #[must_use]
    pub fn held(self, projector: Option<String>, until: SystemTime) -> Self {
        Self { projector, held_until: until, ..self }
    }
}

/// A projector's wish to run a projection, alone and for a while.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claim {
    /// Which projection.
    pub id: Id,
    /// Who asks: an id that no other projector has.
    pub projector: String,
    /// How long nobody else gets it, [`LONGEST`] at most.
    pub hold: Duration,
    /// The time of day, as the projector knows it. A database that several machines share goes by its own clock instead.
    pub now: SystemTime,
}

/// The longest hold. One that seems to end later than that from now was noted by a clock that has been put back since, and
/// is none.
pub const LONGEST: Duration = LONGEST_HOLD;

impl Claim {
    /// A wish of this projector.
    pub fn new(id: Id, projector: impl Into<String>, hold: Duration, now: SystemTime) -> Self {
        Self { id, projector: projector.into(), hold, now }
    }
}

/// Who has a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Held {
    /// The one who asked; it has come so far.
    Here(Position),
    /// Another projector.
    Elsewhere,
}

/// A database that keeps the checkpoints of projections beside what they make of the events.
///
/// Implementations MUST
/// - have each of these be a part of the transaction that it is given: undone with it, and seen by nobody before its commit;
/// - let [`hold`](Self::hold) answer `Here` to nobody else until the hold has ended or was given up, and let nobody else
///   change the checkpoint while that transaction is open, or one that [`checkpoint_in`](Self::checkpoint_in) has told of
///   it: `SELECT … FOR UPDATE`, or one writer at a time;
/// - have [`advance`](Self::advance) compare and set in one step, so that of two who believe that they have the projection,
///   one moves it (E-04).
///
/// The well-known mistake: a checkpoint in a transaction of its own. A crash between the two then loses the effect of an
/// event, or has it twice.
#[async_trait]
pub trait Checkpoints: Database {
    /// Where a projection is; none, if it has never been run. Waits for nobody.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn checkpoint(&self, id: &Id) -> Result<Option<Checkpoint>, DatabaseError>;

    /// Where a projection is, asked before this transaction takes it: until the transaction ends, nobody else changes that.
    /// None also if another transaction has it. Waits for no transaction that has it, and asks on no other connection.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn checkpoint_in(&self, tx: &mut Self::Tx, id: &Id) -> Result<Option<Checkpoint>, DatabaseError>;

    /// Where all projections are, in the order of their names and versions.
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, DatabaseError>;

    /// Takes a projection that nobody else has, or goes on having it, from now on for as long as the claim says. One that
    /// has never been run begins at [`Position::START`].
    ///
    /// # Errors
    /// The database cannot be asked.
    async fn hold(&self, tx: &mut Self::Tx, claim: &Claim) -> Result<Held, DatabaseError>;

    /// Moves the checkpoint, if it is where it is thought to be and the projector has the projection; was it so?
    ///
    /// # Errors
    /// It is not moved.
    async fn advance(
        &self,
        tx: &mut Self::Tx,
        claim: &Claim,
        from: Position,
        to: Position,
    ) -> Result<bool, DatabaseError>;

    /// Gives up a projection, so that another projector may take it at once.
    ///
    /// # Errors
    /// It is held until its hold ends.
    async fn release(&self, tx: &mut Self::Tx, claim: &Claim) -> Result<(), DatabaseError>;

    /// Sets the checkpoint back to [`Position::START`], whoever runs the projection; whoever does notices.
    ///
    /// # Errors
    /// It is where it was.
    async fn rewind(&self, tx: &mut Self::Tx, id: &Id) -> Result<(), DatabaseError>;

    /// Does this error, of whoever asked something in a transaction, say that the database is away, and nothing about what
    /// was asked? The event that was handled is then tried again, and that does not count. It is asked about each cause too,
    /// and not about those that are a [`DatabaseError`]. By default no error says so.
    fn is_away(&self, error: &(dyn Error + 'static)) -> bool {
        let _ = error;
        false
    }

    /// Removes the checkpoint; was there one?
    ///
    /// # Errors
    /// It is still there.
    async fn remove_checkpoint(&self, tx: &mut Self::Tx, id: &Id) -> Result<bool, DatabaseError>;
}
