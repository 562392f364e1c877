//! Connections and transactions: what is waited for and how long, what is tried again, and what is certain afterwards.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{AssertSqlSafe, Transaction, postgres::PgPool};
use tokio::time::{sleep, timeout};

use super::{
    builder::Settings,
    fault::{self, Failed},
    tables::Tables,
    write,
};
use crate::{
    failpoint::{self, Point, Struck},
    store::{Append, Appended, StoreError, StoreErrorKind},
    time::{Dice, backoff},
};

/// How often what failed in passing is tried again; it comes to about 3 s.
const AGAIN: u32 = 5;

pub(crate) struct Session {
    pub(crate) pool: PgPool,
    pub(super) tables: Tables,
    pub(crate) settings: Settings,
    /// The store, as errors name it.
    pub(crate) whose: String,
    /// Where it is, as people name it: the server, the database, the schema.
    pub(crate) place: String,
    /// Which database that is, once it was asked.
    pub(super) database: OnceLock<String>,
    dice: Dice,
    begin: Arc<str>,
    is_closed: AtomicBool,
}

impl Session {
    pub(crate) fn new(pool: PgPool, settings: &Settings) -> Self {
        let options = pool.connect_options();
        let database = options.get_database().unwrap_or(options.get_username());
        let (schema, host, port) = (&settings.schema, options.get_host(), options.get_port());
        let whose = format!("the store in schema `{schema}` of database `{database}` at {host}:{port}");
        let place = format!("{host}:{port}/{database}/{schema}");
        // Only so does a statement that waited for a lock see what was committed meanwhile.
        let begin = settings.begin("READ COMMITTED", settings.statement_limit);
        let (tables, dice) = (Tables::of(schema), Dice::system());
        let (settings, is_closed, database) = (settings.clone(), AtomicBool::new(false), OnceLock::new());
        Self { pool, tables, settings, whose, place, database, dice, begin, is_closed }
    }

    /// Records the events in a transaction of their own; tries again what failed in passing.
    pub(crate) async fn append(&self, append: &Append) -> Result<Appended, StoreError> {
        self.again(|| self.append_once(append)).await
    }

    async fn append_once(&self, append: &Append) -> Result<Appended, Failed> {
        let written = async {
            let mut transaction = self.begin().await?;
            let appended = write::append(&self.tables, &mut transaction, append).await?;
            Ok::<_, Failed>((transaction, appended))
        };
        let (transaction, appended) = self.within(self.longest(), written).await?;
        failpoint::hit(Point::StoreBeforeCommit).map_err(|struck| self.struck(struck, StoreErrorKind::Unreachable))?;
        self.commit(transaction).await?;
        failpoint::hit(Point::StoreAfterCommit).map_err(|struck| self.struck(struck, StoreErrorKind::Unknown))?;
        Ok(appended)
    }

    /// A transaction that waits for locks and statements only as long as the settings say.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, sqlx::Postgres>, Failed> {
        self.begin_with(self.begin.clone()).await
    }

    /// A transaction that begins with this statement.
    pub(crate) async fn begin_with(&self, begin: Arc<str>) -> Result<Transaction<'static, sqlx::Postgres>, Failed> {
        let begun = self.pool.begin_with(AssertSqlSafe(begin));
        match timeout(self.settings.connection_wait, begun).await {
            Ok(begun) => Ok(begun?),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// Commits; what is not certain then is `Unknown`.
    pub(crate) async fn commit(&self, transaction: Transaction<'static, sqlx::Postgres>) -> Result<(), StoreError> {
        let committed = timeout(self.settings.statement_limit, transaction.commit()).await;
        let committed = committed.map_err(|_| fault::unknown(&self.whose))?;
        committed.map_err(|error| fault::of_commit(error, &self.whose))
    }

    /// Reads; tries again what failed in passing.
    pub(crate) async fn read<T, F>(&self, read: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let longest = self.settings.connection_wait + self.settings.statement_limit;
        self.again(|| self.within(longest, async { Ok(read().await?) })).await
    }

    /// Does this until it succeeds, was refused, or has failed too often.
    pub(crate) async fn again<T, F>(&self, work: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        let mut failures = 0;
        loop {
            if self.is_closed.load(Ordering::SeqCst) {
                return Err(fault::closed(&self.whose));
            }
            match work().await {
                Ok(done) => return Ok(done),
                Err(Failed::Refused(error)) => return Err(error),
                Err(Failed::Sql(error)) if failures == AGAIN || !fault::is_passing(&error) => {
                    return Err(self.failed(error));
                }
                Err(Failed::Sql(_)) => failures += 1,
            }
            sleep(backoff(failures, &self.dice)).await;
        }
    }

    /// Does this, unless it takes too long.
    pub(crate) async fn within<T>(
        &self,
        longest: Duration,
        work: impl Future<Output = Result<T, Failed>>,
    ) -> Result<T, Failed> {
        let silent = || {
            let text = format!("{} did not answer for {longest:?}", self.whose);
            StoreError::new(StoreErrorKind::Unreachable, text)
        };
        timeout(longest, work).await.map_err(|_| silent())?
    }

    fn failed(&self, error: sqlx::Error) -> StoreError {
        let sqlx::Error::PoolTimedOut = error else { return fault::of(error, &self.whose) };
        let most = self.pool.options().get_max_connections();
        let all_used = self.pool.size() >= most && self.pool.num_idle() == 0;
        let kind = if all_used { StoreErrorKind::Busy } else { StoreErrorKind::Unreachable };
        let why = if all_used { format!("all {most} are in use") } else { "it does not answer".to_owned() };
        StoreError::new(kind, format!("{} had no connection in time: {why}", self.whose)).caused_by(error)
    }

    /// The longest that an append may take before it is committed.
    pub(crate) fn longest(&self) -> Duration {
        let Settings { connection_wait, lock_wait, statement_limit, .. } = self.settings;
        connection_wait + lock_wait + statement_limit
    }

    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    fn struck(&self, struck: Struck, kind: StoreErrorKind) -> StoreError {
        StoreError::new(kind, format!("{} failed at a commit", self.whose)).caused_by(struck)
    }
}
