//! One transaction: the connection that writes, borrowed until the end.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio_util::task::AbortOnDropHandle;

use super::{Database, fault, rows};
use crate::{
    failpoint::{self, Point},
    lifecycle,
    outbox::{DatabaseError, DatabaseErrorKind, Row, Transaction, sql::of_store},
    store::{
        Position,
        sqlite::{fault as file_fault, loan::Loan},
    },
};

/// A transaction on an SQLite file. Dropped, it is undone.
pub struct Tx {
    pub(super) database: Database,
    place: Arc<Place>,
    /// Have messages been put into the outbox?
    told: bool,
    /// The last event that was appended.
    pub(super) appended: Option<Position>,
    _alarm: AbortOnDropHandle<()>,
}

/// Where the connection is while nothing is done with it.
struct Place {
    path: PathBuf,
    limit: Duration,
    state: Mutex<State>,
}

enum State {
    Free(Loan),
    /// Something is done with it.
    InUse,
    /// The same, and the time is up.
    Late,
    /// It was undone: the time was up.
    TooLong,
    /// It was ended or undone.
    Over,
}

impl Tx {
    pub(super) async fn begin(database: &Database) -> Result<Self, DatabaseError> {
        let loan = database.file.writer().lend(database.begin_within).await.map_err(of_store)?;
        let (path, limit) = (database.file.path().to_owned(), database.open_for);
        let place = Arc::new(Place { path, limit, state: Mutex::new(State::Free(loan)) });
        let late = Arc::downgrade(&place);
        let alarm = lifecycle::owned(async move {
            tokio::time::sleep(limit).await;
            if let Some(place) = late.upgrade() {
                place.expire();
            }
        });
        let tx = Self { database: database.clone(), place, told: false, appended: None, _alarm: alarm };
        // Immediate: whoever only then begins to write is refused at once where another process was faster.
        tx.with(|sql| sql.execute_batch("BEGIN IMMEDIATE"), Ends::Begun).await?;
        Ok(tx)
    }

    /// Does this inside the transaction, on a thread for what blocks.
    ///
    /// What it does must not end the transaction, and belongs to it also where it then fails: SQLite undoes a statement
    /// that fails, and none before it.
    ///
    /// # Errors
    /// `Statement`: it failed, for the reason underneath. `Full`: there is no room, and all is undone. `TooLong`: the
    /// transaction was open for too long, and is undone. `Over`: it has ended.
    ///
    /// # Panics
    /// Where the work does; the transaction is then undone.
    ///
    /// # Cancel safety
    /// Work that has begun goes on, and belongs to the transaction.
    pub async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.with(work, Ends::Never).await
    }

    /// Makes all that was done in it last, and has messages that were put into the outbox go out.
    ///
    /// # Errors
    /// `Unknown`: it may have been committed. Every other kind: nothing of it lasts.
    ///
    /// # Cancel safety
    /// It is committed, or not.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        self.with(|sql| sql.execute_batch("COMMIT"), Ends::Committed).await?;
        failpoint::hit(Point::OutboxAfterCommit).map_err(|struck| {
            DatabaseError::new(DatabaseErrorKind::Unknown, "the answer to a commit was lost").caused_by(struck)
        })?;
        if self.told {
            self.database.wake();
        }
        if let Some(position) = self.appended {
            self.database.file.told_of(position);
        }
        Ok(())
    }

    /// Undoes all that was done in it, as dropping it does, and waits until it is undone.
    pub async fn rollback(self) {
        // What fails here is undone when the connection goes back.
        let _ = self.with(|sql| sql.execute_batch("ROLLBACK"), Ends::Undone).await;
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        ends: Ends,
    ) -> Result<T, DatabaseError> {
        lifecycle::to_work().await;
        let (loan, place) = (self.place.take()?, self.place.clone());
        let done = lifecycle::work(move || {
            let done = catch_unwind(AssertUnwindSafe(|| work(loan.connection())));
            done.map(|done| place.end(loan, done, ends))
        });
        match done.await {
            Some(Ok(done)) => done,
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(fault::over(&self.place.path, "the runtime has ended")),
        }
    }
}

/// What a piece of work does to the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Begun,
    Never,
    Committed,
    Undone,
}

impl Place {
    fn take(&self) -> Result<Loan, DatabaseError> {
        let mut state = self.state();
        let why = match std::mem::replace(&mut *state, State::InUse) {
            State::Free(loan) => return Ok(loan),
            State::TooLong => {
                *state = State::TooLong;
                return Err(fault::too_long(&self.path, self.limit));
            }
            State::Over => {
                *state = State::Over;
                "it was ended or undone by what was done in it"
            }
            busy => {
                *state = busy;
                "what was begun in it and not awaited is still under way"
            }
        };
        Err(fault::over(&self.path, why))
    }

    /// The time is up.
    fn expire(&self) {
        let mut state = self.state();
        let before = std::mem::replace(&mut *state, State::TooLong);
        match before {
            State::InUse => *state = State::Late,
            State::Over => *state = State::Over,
            _ => {}
        }
        drop(state);
        // Undone without the lock: it takes its time.
        drop(before);
    }

    /// Work was done; what becomes of the transaction.
    fn end<T>(&self, loan: Loan, done: rusqlite::Result<T>, ends: Ends) -> Result<T, DatabaseError> {
        // SQLite undoes a transaction by itself after some errors.
        let is_over = loan.connection().is_autocommit();
        let mut state = self.state();
        let late = matches!(*state, State::Late);
        let kept = match ends {
            Ends::Begun | Ends::Never => !is_over && !late && (ends == Ends::Never || done.is_ok()),
            Ends::Committed | Ends::Undone => false,
        };
        *state = match kept {
            true => State::Free(loan),
            false if late && !is_over => State::TooLong,
            false => State::Over,
        };
        let too_long = matches!(*state, State::TooLong);
        drop(state);
        match done {
            Err(error) if ends == Ends::Committed => Err(of_store(file_fault::of_commit(error, &self.path))),
            Err(error) if ends == Ends::Begun => Err(of_store(file_fault::of(error, &self.path))),
            Err(error) => Err(fault::of_work(error, &self.path)),
            Ok(_) if ends == Ends::Never && too_long => Err(fault::too_long(&self.path, self.limit)),
            Ok(_) if ends == Ends::Never && is_over => {
                Err(fault::over(&self.path, "what was done in it has ended it; use `commit` and `rollback`"))
            }
            Ok(done) => Ok(done),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transaction for Tx {
    async fn put(&mut self, row: &Row) -> Result<(), DatabaseError> {
        let row = row.clone();
        self.run(move |sql| rows::put(sql, &row)).await?;
        self.told = true;
        failpoint::hit(Point::OutboxInTransaction).map_err(|struck| {
            DatabaseError::new(DatabaseErrorKind::Unreachable, "the outbox took no more").caused_by(struck)
        })
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("path", &self.place.path).finish_non_exhaustive()
    }
}
