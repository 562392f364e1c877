//! Outbox and inbox in an SQLite file, beside the tables of whoever uses them, and transactions over all of it.
//!
//! It is the file of a [`store::Sqlite`](crate::store::Sqlite), and both write through one connection.

mod events;
mod fault;
mod inbox;
mod rows;
mod timeouts;
mod tx;

pub use tx::Tx;

/// The client that [`Tx::run`] hands out: whoever names its types needs this one, and no other version.
pub use rusqlite;

pub use super::Parked;

use std::{fmt, path::Path, time::Duration};

use async_trait::async_trait;

use super::{Claim, Claimed, DatabaseError, Fate, Mark, Marked, Outbox, sql::of_store};
use crate::store::{EventStore, Sqlite};

/// How long a transaction waits until it can begin, unless it is said otherwise.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(10);
/// How long a transaction may be open, unless it is said otherwise. Shorter than the wait, so that one which hangs fails
/// alone.
pub const OPEN_FOR: Duration = Duration::from_secs(5);

/// An SQLite file with an outbox and an inbox, for one machine: several processes may share it. Clones share the
/// connections.
///
/// A file has one writer at a time. An open transaction is it: other transactions, and a store in the same file, wait
/// until it is over. So keep transactions short, and await nothing inside them that takes its time.
///
/// # Examples
/// ```
/// use tegami::sqlite::Database;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tegami::outbox::DatabaseError> {
/// # let path = std::env::temp_dir().join(format!("tegami-database-{}.db", std::process::id()));
/// let db = Database::connect(&path).await?;
/// let mut tx = db.begin().await?;
/// tx.run(|sql| sql.execute("CREATE TABLE orders (id TEXT PRIMARY KEY, paid INTEGER)", ())).await?;
/// tx.run(|sql| sql.execute("INSERT INTO orders VALUES ('o-1', 1)", ())).await?;
/// tx.commit().await?;
/// # db.close().await;
/// # std::fs::remove_file(path).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    file: Sqlite,
    begin_within: Duration,
    open_for: Duration,
}

impl Database {
    /// Opens the file, and makes it and its tables if they are not there. For other settings, open a
    /// [store](Sqlite::at) and take [that one's file](Self::of).
    ///
    /// # Errors
    /// As [`Builder::connect`](crate::store::sqlite::Builder::connect).
    pub async fn connect(path: impl AsRef<Path>) -> Result<Self, DatabaseError> {
        Ok(Self::of(&Sqlite::connect(path).await.map_err(of_store)?))
    }

    /// The file of this store. Both share what writes, so that they wait for each other in turn.
    pub fn of(store: &Sqlite) -> Self {
        Self { file: store.clone(), begin_within: BEGIN_WITHIN, open_for: OPEN_FOR }
    }

    /// The events in the same file.
    pub fn store(&self) -> Sqlite {
        self.file.clone()
    }

    /// How long a transaction waits for others until it can begin. Default: [`BEGIN_WITHIN`], 10 s.
    #[must_use]
    pub fn begin_within(self, longest: Duration) -> Self {
        Self { begin_within: longest, ..self }
    }

    /// How long a transaction may be open, with all that is awaited meanwhile; then it is undone. Default: [`OPEN_FOR`],
    /// 5 s.
    #[must_use]
    pub fn open_for(self, longest: Duration) -> Self {
        Self { open_for: longest, ..self }
    }

    /// Begins a transaction, once no other is open.
    ///
    /// # Errors
    /// `Busy`: others did not end in time, in this process or in another one. `Closed`: it was closed.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn begin(&self) -> Result<Tx, DatabaseError> {
        Tx::begin(self).await
    }

    /// The rows that are not tried any more, oldest first, at most so many.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn parked(&self, most: usize) -> Result<Vec<Parked>, DatabaseError> {
        self.file.read(move |sql| rows::parked(sql, most)).await.map_err(of_store)
    }

    /// Has a parked message tried again, with its own id; was there one?
    ///
    /// # Errors
    /// The file cannot be written to.
    pub async fn send_again(&self, id: &str) -> Result<bool, DatabaseError> {
        let id = id.to_owned();
        let work = move |sql: &rusqlite::Connection| Ok(rows::unpark(sql, &id)?);
        let freed = self.file.writer().write(0, work).await.map_err(of_store)?;
        self.wake();
        Ok(freed)
    }

    /// Waits until every transaction is over, and closes the file, for its store too.
    pub async fn close(&self) {
        self.file.close().await;
    }

    fn wake(&self) {
        self.file.outbox().send_modify(|committed| *committed += 1);
    }
}

#[async_trait]
impl Outbox for Database {
    fn name(&self) -> String {
        self.file.path().display().to_string()
    }

    async fn take(&self, claim: &Claim) -> Result<Vec<Claimed>, DatabaseError> {
        // To look costs nobody anything; to take needs the file.
        let looked = claim.clone();
        if !self.file.read(move |sql| rows::any_free(sql, &looked)).await.map_err(of_store)? {
            return Ok(Vec::new());
        }
        let claim = claim.clone();
        let work = move |sql: &rusqlite::Connection| Ok(rows::take(sql, &claim)?);
        self.file.writer().write(0, work).await.map_err(of_store)
    }

    async fn settle(&self, claim: &Claim, fates: &[(u64, Fate)]) -> Result<(), DatabaseError> {
        let (claim, fates) = (claim.clone(), fates.to_vec());
        let work = move |sql: &rusqlite::Connection| Ok(rows::settle(sql, &claim, &fates)?);
        self.file.writer().write(0, work).await.map_err(of_store)
    }

    async fn later_than(&self, seen: u64) -> u64 {
        let mut committed = self.file.outbox().subscribe();
        let committed = committed.wait_for(|committed| *committed != seen).await;
        *committed.expect("the file that has the sender is held")
    }

    async fn next_due(&self, claim: &Claim) -> Result<Option<Duration>, DatabaseError> {
        let claim = claim.clone();
        self.file.read(move |sql| rows::next_due(sql, &claim)).await.map_err(of_store)
    }

    async fn waiting(&self) -> Result<u64, DatabaseError> {
        self.file.read(rows::waiting).await.map_err(of_store)
    }

    async fn forget(&self, older_than: Duration, most: usize) -> Result<usize, DatabaseError> {
        let work = move |sql: &rusqlite::Connection| Ok(inbox::forget(sql, older_than, most)?);
        self.file.writer().write(0, work).await.map_err(of_store)
    }
}

#[async_trait]
impl super::Database for Database {
    type Tx = Tx;

    async fn begin(&self) -> Result<Tx, DatabaseError> {
        Tx::begin(self).await
    }

    async fn commit(&self, tx: Tx) -> Result<(), DatabaseError> {
        tx.commit().await
    }

    async fn mark(&self, tx: &mut Tx, mark: &Mark) -> Result<Marked, DatabaseError> {
        let mark = mark.clone();
        tx.run(move |sql| inbox::mark(sql, &mark)).await
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.file.path()).finish_non_exhaustive()
    }
}
