//! The store in PostgreSQL, through sqlx.
//!
//! Whoever knows SQL can look into the schema: tables `events`, `tags`, `snapshots`, and `outbox` and `inbox` of
//! `outbox/postgres`. Nothing outside these two folders speaks of connections, transactions and statements.

pub(crate) mod builder;
pub(crate) mod fault;
mod listener;
pub(crate) mod locks;
mod query;
mod row;
mod schema;
pub(crate) mod session;
pub(crate) mod tables;
pub(crate) mod text;
mod within;
mod write;

pub use builder::Builder;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::postgres::PgPool;
use tokio::time::timeout;

use self::{listener::Listener, query::Later, session::Session};
use super::{Append, Appended, EventStore, Page, Position, Query, Recorded, Snapshot, StoreError, StreamId, Version};

/// How often it is looked for what nobody has told of.
const LOOK: Duration = Duration::from_secs(1);
/// The same, while events wait for a transaction that was begun before theirs: nobody tells of its end.
const LOOK_SOON: Duration = Duration::from_millis(20);

/// Keeps events in PostgreSQL, version 13 or later: any number of processes on any number of machines may share them.
/// Clones share the connections.
///
/// # Examples
/// ```no_run
/// use tegami::store::{Postgres, Store};
///
/// # async fn example() -> Result<(), tegami::store::StoreError> {
/// let store = Store::new(Postgres::connect("postgres://billing@localhost/billing").await?).service("billing");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Postgres(Arc<Shared>);

struct Shared {
    session: Session,
    listener: Listener,
    /// The same for the outbox beside it.
    outbox: Listener,
    /// Was the pool made here?
    is_ours: bool,
}

impl Postgres {
    /// Connects to the database at this URL: [`at`](Self::at) with nothing changed.
    ///
    /// # Errors
    /// As [`Builder::connect`].
    pub async fn connect(url: impl Into<String>) -> Result<Self, StoreError> {
        Self::at(url).connect().await
    }

    /// Settings for the database at this URL, as `postgres://user:password@host:5432/database`. A server on another machine
    /// is spoken to by TLS, and its name checked, unless the URL says otherwise: `?sslmode=require`.
    pub fn at(url: impl Into<String>) -> Builder {
        Builder::at(url.into())
    }

    /// Settings for the database of this pool. Besides what it takes from there, a store that is followed has one
    /// connection of its own, by the pool's options.
    pub fn on(pool: PgPool) -> Builder {
        Builder::on(pool)
    }

    fn new(session: Session, is_ours: bool) -> Self {
        let options = (*session.pool.connect_options()).clone();
        let listener = Listener::new(options.clone(), &session.tables.channel);
        let outbox = Listener::new(options, &session.tables.outbox);
        Self(Arc::new(Shared { session, listener, outbox, is_ours }))
    }

    /// What its transactions are made by.
    pub(crate) fn session(&self) -> &Session {
        &self.0.session
    }

    /// The schema that has its tables.
    pub(crate) fn schema(&self) -> &str {
        &self.0.session.tables.schema
    }

    /// Who is told that messages were put into the outbox.
    pub(crate) fn outbox(&self) -> &Listener {
        &self.0.outbox
    }
}

#[async_trait]
impl EventStore for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check()?;
        let appended = self.0.session.append(&append).await?;
        self.0.listener.tell();
        Ok(appended)
    }

    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let Session { tables, pool, .. } = &self.0.session;
        self.0.session.read(|| query::of_stream(tables, pool, (stream, after), limit)).await
    }

    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError> {
        let Session { tables, pool, .. } = &self.0.session;
        self.0.session.read(|| query::of_query(tables, pool, query, (after, limit))).await
    }

    async fn count(&self, query: &Query, after: Position, most: u64) -> Result<u64, StoreError> {
        let Session { tables, pool, .. } = &self.0.session;
        self.0.session.read(|| query::count(tables, pool, query, (after, most))).await
    }

    async fn read_ahead(&self, query: &Query, after: Position, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let Session { tables, pool, .. } = &self.0.session;
        self.0.session.read(|| query::ahead(tables, pool, query, (after, limit))).await
    }

    async fn later_than(&self, position: Position) -> Result<(), StoreError> {
        let Session { tables, pool, .. } = &self.0.session;
        let mut told = self.0.listener.wait();
        loop {
            let look = match self.0.session.read(|| query::later_than(tables, pool, position)).await? {
                Later::Readable => return Ok(()),
                Later::Waiting => LOOK_SOON,
                Later::Nothing => LOOK,
            };
            let _ = timeout(look, told.changed()).await;
        }
    }

    async fn snapshot(&self, stream: &StreamId, state: &str) -> Result<Option<Snapshot>, StoreError> {
        let Session { tables, pool, .. } = &self.0.session;
        self.0.session.read(|| query::snapshot(tables, pool, stream, state)).await
    }

    async fn keep_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let Session { tables, pool, .. } = &self.0.session;
        self.0.session.read(|| query::keep_snapshot(tables, pool, &snapshot)).await
    }

    async fn close(&self) {
        self.0.session.close();
        self.0.listener.close().await;
        self.0.outbox.close().await;
        if self.0.is_ours {
            self.0.session.pool.close().await;
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("store", &self.0.session.whose).finish_non_exhaustive()
    }
}
