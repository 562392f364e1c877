//! The settings of a store in a file, and the opening of it.

use std::{path::PathBuf, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{Sqlite, fault, schema};
use crate::{
    lifecycle,
    store::{StoreError, StoreErrorKind},
};

/// How long a connection waits for others that write.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How large the log beside the file stays after it was copied into the file, in bytes.
const LOG: i64 = 64 * 1024 * 1024;
/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 64;

/// What a recorded event outlives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The end of the process, of the system, and of the power (`synchronous=FULL`).
    #[default]
    Power,
    /// The end of the process. When the system ends, what was recorded last may be lost, but never a part of an append
    /// (`synchronous=NORMAL`). Several times faster.
    Process,
}

/// Settings of a store in a file.
///
/// # Examples
/// ```no_run
/// use std::time::Duration;
/// use tegami::store::{Sqlite, sqlite::Durability};
///
/// # async fn example() -> Result<(), tegami::store::StoreError> {
/// let store = Sqlite::at("/var/lib/billing/events.db")
///     .durability(Durability::Process)
///     .lock_wait(Duration::from_secs(2))
///     .size_limit(10 * 1024 * 1024 * 1024)
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "it is opened by `connect`"]
pub struct Builder(Settings);

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) path: PathBuf,
    durability: Durability,
    lock_wait: Duration,
    size_limit: Option<u64>,
}

impl Builder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(Settings::of(path))
    }

    /// What a recorded event outlives. Default: everything but its disk.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.0.durability = durability;
        self
    }

    /// How long to wait for other processes that write. Default: 5 s.
    pub fn lock_wait(mut self, longest: Duration) -> Self {
        self.0.lock_wait = longest;
        self
    }

    /// The largest that the file may become, in bytes, rounded down to whole pages of it; an append beyond it is
    /// refused as `Full`. Default: as large as the disk.
    pub fn size_limit(mut self, bytes: u64) -> Self {
        self.0.size_limit = Some(bytes);
        self
    }

    /// Opens the file, makes it if it is not there, and brings its tables up to what this release needs.
    ///
    /// # Errors
    /// `Unreachable`: the file cannot be opened or made. `Busy`: others hold it for longer than the wait for a lock.
    /// `Mismatch`: it is no SQLite file, or a later release has changed its tables. `Damaged`: it is damaged. `Full`:
    /// there is no room for the tables.
    pub async fn connect(self) -> Result<Sqlite, StoreError> {
        let settings = self.0;
        let work = move || {
            let mut connection = settings.open()?;
            schema::prepare(&mut connection, &settings)?;
            Ok(Sqlite::new(settings, connection))
        };
        lifecycle::apart(work).await.unwrap_or_else(|_| Err(ended()))
    }
}

impl Settings {
    /// What holds unless it is said otherwise.
    pub(super) fn of(path: PathBuf) -> Self {
        Self { path, durability: Durability::default(), lock_wait: LOCK_WAIT, size_limit: None }
    }

    /// A connection of its own to the file.
    pub(super) fn open(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags);
        let connection = connection.and_then(|connection| self.set_up(&connection).map(|()| connection));
        connection.map_err(|error| fault::of(error, &self.path))
    }

    fn set_up(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(self.lock_wait)?;
        let synchronous = match self.durability {
            Durability::Power => "FULL",
            Durability::Process => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // A statement is planned once, and not again for each value: which is for tables that were analysed.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // It answers with the limit, which `pragma_update` takes for too much.
        connection.pragma_update_and_check(None, "journal_size_limit", LOG, |_| Ok(()))?;
        if let Some(limit) = self.size_limit {
            let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = i64::try_from(limit).unwrap_or(i64::MAX) / page.max(1);
            connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
        }
        Ok(())
    }

    pub(super) fn lock_wait(&self) -> Duration {
        self.lock_wait
    }
}

/// The error where the runtime ends with work in progress.
pub(super) fn ended() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the runtime has ended")
}
