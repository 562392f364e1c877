//! Outbox and inbox in PostgreSQL, in transactions of sqlx: those that are begun here, and those of whoever uses it.
//!
//! The tables are in the schema of a [`store::Postgres`](crate::store::Postgres), and made with its tables.

mod events;
mod fault;
mod inbox;
mod rows;
mod timeouts;
mod tx;

/// The client whose pools and transactions are taken here: those of another version are other types.
pub use sqlx;

pub use super::Parked;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::postgres::PgPool;

use super::{Claim, Claimed, DatabaseError, DatabaseErrorKind as Kind, Fate, Mark, Marked, Outbox, sql::of_store};
use crate::{
    failpoint::{self, Point},
    store::{
        EventStore, Postgres, StoreErrorKind,
        postgres::{fault::Failed, session::Session},
    },
};

/// A transaction that a [`Database`] begins, and that transactional handlers are given. Dropped, it is undone.
pub type Tx = sqlx::Transaction<'static, sqlx::Postgres>;

/// How long a transaction may be open with nothing asked in it, unless it is said otherwise.
pub const IDLE: Duration = Duration::from_secs(60);

/// The setting that a transaction has for as long as it is open.
const OPEN: &str = "tegami.transaction";

/// How much of what others commit meanwhile a transaction sees, as
/// <https://www.postgresql.org/docs/current/transaction-iso.html> has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    #[default]
    ReadCommitted,
    /// All statements see what was committed before the first one.
    RepeatableRead,
    /// As if there were no others. What could not be so fails with `Busy`, and helps to be tried again.
    Serializable,
}

impl Isolation {
    const fn name(self) -> &'static str {
        match self {
            Self::ReadCommitted => "READ COMMITTED",
            Self::RepeatableRead => "REPEATABLE READ",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}

/// An outbox and an inbox in PostgreSQL, version 13 or later, for any number of processes and machines. Clones share the
/// connections.
///
/// # Examples
/// ```no_run
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::orders::v1::OrderPaid;
/// use tegami::postgres::Database;
///
/// # async fn example(
/// #     pool: sqlx::PgPool, publisher: tegami::Publisher, order: OrderPaid,
/// # ) -> Result<(), tegami::error::BoxError> {
/// let db = Database::on(pool.clone()).await?;
/// let mut tx = pool.begin().await?;
/// sqlx::query("UPDATE orders SET paid = true WHERE id = $1").bind(&order.order_id).execute(&mut *tx).await?;
/// publisher.in_transaction(&mut tx).publish(&order).await?;
/// tx.commit().await?;
/// # drop(db);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    store: Postgres,
    isolation: Isolation,
    idle: Duration,
    begin: Arc<str>,
}

impl Database {
    /// Connects to the database at this URL, and makes the tables where there are none. For other settings, open a
    /// [store](Postgres::at) and take [that one's database](Self::of).
    ///
    /// # Errors
    /// As [`Builder::connect`](crate::store::postgres::Builder::connect).
    pub async fn connect(url: impl Into<String>) -> Result<Self, DatabaseError> {
        Ok(Self::of(&Postgres::connect(url).await.map_err(of_store)?))
    }

    /// The database of this pool, which stays yours. Makes the tables where there are none. Besides what it takes from
    /// there, a relay has one connection of its own, by the pool's options.
    ///
    /// # Errors
    /// As [`Builder::connect`](crate::store::postgres::Builder::connect).
    pub async fn on(pool: PgPool) -> Result<Self, DatabaseError> {
        Ok(Self::of(&Postgres::on(pool).connect().await.map_err(of_store)?))
    }

    /// The database of this store: in the same schema, by the same connections and with the same limits.
    pub fn of(store: &Postgres) -> Self {
        let database = Self { store: store.clone(), isolation: Isolation::default(), idle: IDLE, begin: "".into() };
        database.prepared()
    }

    /// The events in the same schema.
    pub fn store(&self) -> Postgres {
        self.store.clone()
    }

    /// The isolation of transactions that are begun here. Default: `ReadCommitted`.
    #[must_use]
    pub fn isolation(self, isolation: Isolation) -> Self {
        Self { isolation, ..self }.prepared()
    }

    /// How long a transaction that is begun here may be open with nothing asked in it; then PostgreSQL undoes it and ends
    /// the connection, for others may wait for what it has locked. Default: [`IDLE`], 60 s.
    #[must_use]
    pub fn idle_limit(self, longest: Duration) -> Self {
        Self { idle: longest, ..self }.prepared()
    }

    fn prepared(mut self) -> Self {
        let begin = self.session().settings.begin(self.isolation.name(), self.idle);
        let schema = self.store.schema();
        self.begin = format!("{begin}; SET LOCAL {} = '{schema}'; SET LOCAL {OPEN} = 'yes'", tx::SETTING).into();
        self
    }

    /// Begins a transaction. Messages that are put into it go into this outbox; [`commit`](Self::commit) it, or have sqlx
    /// do so.
    ///
    /// # Errors
    /// `Busy`: no connection is free. `Unreachable`: there is none. `Closed`: it was closed.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn begin(&self) -> Result<Tx, DatabaseError> {
        self.session().again(|| self.session().begin_with(self.begin.clone())).await.map_err(of_store)
    }

    /// Makes all that was done in it last: as sqlx does it, with an answer that can be relied on.
    ///
    /// # Errors
    /// `Over`: a statement in it has failed, so that nothing of it lasts; sqlx would not say so. `Unknown`: it may have been
    /// committed. Every other kind: nothing of it lasts.
    ///
    /// # Cancel safety
    /// It is committed, or not.
    pub async fn commit(&self, mut tx: Tx) -> Result<(), DatabaseError> {
        let whose = self.whose();
        let asked = async {
            // After a statement that failed, PostgreSQL undoes the transaction at its COMMIT, and calls that a success.
            let sql = sqlx::AssertSqlSafe(format!("SELECT current_setting('{OPEN}', true)"));
            let open: Result<Option<String>, _> = sqlx::query_scalar(sql).fetch_one(&mut *tx).await;
            Ok(open.map_err(|error| fault::of(error, &whose)))
        };
        let longest = self.session().settings.statement_limit;
        let open = self.session().within(longest, asked).await.map_err(|failed| self.failed(failed))??;
        if open.is_none_or(|open| open != "yes") {
            return Err(fault::ended(&whose));
        }
        self.session().commit(tx).await.map_err(of_store)?;
        failpoint::hit(Point::OutboxAfterCommit)
            .map_err(|struck| DatabaseError::new(Kind::Unknown, "the answer to a commit was lost").caused_by(struck))
    }

    /// The rows that are not tried any more, oldest first, at most so many.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub async fn parked(&self, most: usize) -> Result<Vec<Parked>, DatabaseError> {
        self.read(|| rows::parked(self.schema(), self.pool(), most)).await
    }

    /// Has a parked message tried again, with its own id; was there one?
    ///
    /// # Errors
    /// The database cannot be written to.
    pub async fn send_again(&self, id: &str) -> Result<bool, DatabaseError> {
        self.read(|| rows::unpark(self.schema(), self.pool(), id)).await
    }

    /// Ends what it does, for its store too. A pool of yours stays open.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// What its transactions are made by.
    pub(crate) fn session(&self) -> &Session {
        self.store.session()
    }

    /// The schema that has its tables.
    pub(crate) fn schema(&self) -> &str {
        self.store.schema()
    }

    /// The connections.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.session().pool
    }

    /// Reads past all transactions; tries again what failed in passing.
    pub(crate) async fn read<T, F>(&self, read: impl Fn() -> F) -> Result<T, DatabaseError>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        self.session().read(read).await.map_err(of_store)
    }

    /// Does this in a transaction, unless it takes too long.
    pub(crate) async fn inside<T>(&self, work: impl Future<Output = sqlx::Result<T>>) -> Result<T, DatabaseError> {
        let done = self.session().within(self.session().longest(), async { Ok(work.await?) });
        done.await.map_err(|failed| self.failed(failed))
    }

    /// The database, as errors name it.
    fn whose(&self) -> String {
        format!("the database of the outbox `{}`", self.session().place)
    }

    fn failed(&self, failed: Failed) -> DatabaseError {
        match failed {
            Failed::Sql(error) => fault::of(error, &self.whose()),
            Failed::Refused(error) => of_store(error),
        }
    }

    async fn take_once(&self, claim: &Claim) -> Result<Vec<Claimed>, Failed> {
        let mut tx = self.session().begin().await?;
        let taken = rows::take(self.store.schema(), &mut tx, claim);
        let taken = self.session().within(self.session().longest(), async { Ok(taken.await?) }).await?;
        self.session().commit(tx).await?;
        Ok(taken)
    }

    async fn settle_once(&self, claim: &Claim, fates: &[(u64, Fate)]) -> Result<(), Failed> {
        let mut tx = self.session().begin().await?;
        let settled = rows::settle(self.store.schema(), &mut tx, claim, fates);
        self.session().within(self.session().longest(), async { Ok(settled.await?) }).await?;
        Ok(self.session().commit(tx).await?)
    }
}

#[async_trait]
impl Outbox for Database {
    fn name(&self) -> String {
        self.session().place.clone()
    }

    async fn take(&self, claim: &Claim) -> Result<Vec<Claimed>, DatabaseError> {
        self.session().again(|| self.take_once(claim)).await.map_err(of_store)
    }

    async fn settle(&self, claim: &Claim, fates: &[(u64, Fate)]) -> Result<(), DatabaseError> {
        let settled = self.session().again(|| self.settle_once(claim, fates)).await;
        match settled {
            // Asked again, it changes nothing that was noted.
            Err(error) if error.kind() == StoreErrorKind::Unknown => {
                self.session().again(|| self.settle_once(claim, fates)).await
            }
            settled => settled,
        }
        .map_err(of_store)
    }

    async fn later_than(&self, seen: u64) -> u64 {
        let mut told = self.store.outbox().wait();
        *told.wait_for(|count| *count != seen).await.expect("the store that has the sender is held")
    }

    async fn next_due(&self, _: &Claim) -> Result<Option<Duration>, DatabaseError> {
        self.read(|| rows::next_due(self.schema(), self.pool())).await
    }

    async fn waiting(&self) -> Result<u64, DatabaseError> {
        self.read(|| rows::waiting(self.schema(), self.pool())).await
    }

    async fn forget(&self, older_than: Duration, most: usize) -> Result<usize, DatabaseError> {
        self.read(|| inbox::forget(self.schema(), self.pool(), older_than, most)).await
    }
}

#[async_trait]
impl super::Database for Database {
    type Tx = Tx;

    async fn begin(&self) -> Result<Tx, DatabaseError> {
        self.begin().await
    }

    async fn commit(&self, tx: Tx) -> Result<(), DatabaseError> {
        self.commit(tx).await
    }

    async fn mark(&self, tx: &mut Tx, mark: &Mark) -> Result<Marked, DatabaseError> {
        let marked = self.inside(inbox::mark(self.schema(), tx, mark)).await?;
        marked.ok_or_else(|| {
            let text = format!("{}: message `{}` was forgotten just now, so try again", self.whose(), mark.id);
            DatabaseError::new(Kind::Busy, text)
        })
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("place", &self.session().place).finish_non_exhaustive()
    }
}
