//! The store in one file: SQLite, compiled in.
//!
//! Whoever knows SQL can look into the file: tables `tegami_events`, `tegami_tags`, `tegami_snapshots`. Nothing outside this
//! folder speaks of connections, pages and statements.

mod builder;
pub(crate) mod fault;
mod keys;
pub(crate) mod loan;
pub(crate) mod query;
mod readers;
mod row;
mod schema;
pub(crate) mod write;
mod writer;

pub use builder::{Builder, Durability};
pub use keys::SqliteKeys;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::watch;

use self::{builder::Settings, readers::Readers, writer::Writer};
use super::{Append, Appended, EventStore, Page, Position, Query, Recorded, Snapshot, StoreError, StreamId, Version};

/// How often it is looked for what other processes recorded.
const LOOK: Duration = Duration::from_millis(200);

/// Keeps events in one SQLite file, for one machine: several processes may share it. Clones share the connections.
///
/// What waits to be recorded is recorded in groups, one commit for each, so that many appends at once cost little more
/// than one. Nothing blocks the threads of the runtime.
///
/// # Examples
/// ```
/// use tegami::store::{Sqlite, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tegami::store::StoreError> {
/// # let path = std::env::temp_dir().join(format!("tegami-example-{}.db", std::process::id()));
/// let store = Store::new(Sqlite::connect(&path).await?).service("billing");
/// # store.inner().close().await;
/// # std::fs::remove_file(path).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sqlite(Arc<Shared>);

struct Shared {
    path: PathBuf,
    writer: Arc<Writer>,
    readers: Readers,
    /// The position of the last event that was recorded through here.
    last: watch::Sender<Position>,
    /// How many transactions with messages for others were committed through here.
    outbox: watch::Sender<u64>,
}

impl Sqlite {
    /// Opens the file, and makes it if it is not there: [`at`](Self::at) with nothing changed.
    ///
    /// # Errors
    /// As [`Builder::connect`].
    pub async fn connect(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::at(path).connect().await
    }

    /// Settings for the file at this path.
    pub fn at(path: impl AsRef<Path>) -> Builder {
        Builder::new(path.as_ref().to_owned())
    }

    fn new(settings: Settings, connection: Connection) -> Self {
        let path = settings.path.clone();
        let writer = Arc::new(Writer::new(connection, &settings));
        let (readers, last) = (Readers::new(settings), watch::Sender::new(Position::START));
        Self(Arc::new(Shared { path, writer, readers, last, outbox: watch::Sender::new(0) }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    pub(crate) fn writer(&self) -> &Arc<Writer> {
        &self.0.writer
    }

    /// Tells those who follow of an event that is committed.
    pub(crate) fn told_of(&self, position: Position) {
        position.tell(&self.0.last);
    }

    /// Is it this one, opened once?
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn outbox(&self) -> &watch::Sender<u64> {
        &self.0.outbox
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.readers.read(read).await
    }
}

#[async_trait]
impl EventStore for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check()?;
        let size = append.entries.iter().map(super::Entry::size).sum();
        let appended = self.0.writer.write(size, move |connection| write::append(connection, &append)).await?;
        self.told_of(appended.position);
        Ok(appended)
    }

    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let stream = stream.clone();
        self.read(move |connection| query::of_stream(connection, &stream, after, limit)).await
    }

    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError> {
        let query = query.clone();
        self.read(move |connection| query::of_query(connection, &query, after, limit)).await
    }

    async fn count(&self, query: &Query, after: Position, most: u64) -> Result<u64, StoreError> {
        let query = query.clone();
        self.read(move |connection| query::count(connection, &query, after, most)).await
    }

    async fn later_than(&self, position: Position) -> Result<(), StoreError> {
        let mut last = self.0.last.subscribe();
        while self.read(query::end).await? <= position {
            let recorded_here = last.wait_for(|last| *last > position);
            if tokio::time::timeout(LOOK, recorded_here).await.is_ok() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn snapshot(&self, stream: &StreamId, state: &str) -> Result<Option<Snapshot>, StoreError> {
        let (stream, state) = (stream.clone(), state.to_owned());
        self.read(move |connection| query::snapshot(connection, stream, state)).await
    }

    async fn keep_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let size = snapshot.bytes.len();
        self.0.writer.write(size, move |connection| write::snapshot(connection, &snapshot)).await
    }

    async fn close(&self) {
        self.0.readers.close();
        self.0.writer.close().await;
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.0.path).finish_non_exhaustive()
    }
}
