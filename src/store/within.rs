//! Appending inside a transaction that others began, and reading what it has recorded so far.

use std::{any::Any, future::Future, sync::Arc};

use async_trait::async_trait;

use super::{
    Append, Appended, EventSet, EventStore, Recorded, Store, StoreError, StoreErrorKind, Stored, StreamId, Version,
    handle::PAGE, limits::SHORT,
};

/// A transaction that events can be appended in.
///
/// Implementations MUST
/// - refuse, as `Invalid`, a store whose events are not in the transaction's own database;
/// - otherwise record and refuse as [`EventStore::append`] does, and let nobody else see the events before the transaction is
///   committed, and nobody ever if it is not;
/// - leave the transaction as it was where an append is refused as `Conflict`, `Duplicate`, `Invalid` or `TooLarge`.
#[async_trait]
pub trait Transaction: Send {
    /// Records events in this store, as a part of this transaction: all of them or none.
    ///
    /// # Errors
    /// They are not recorded.
    async fn append(&mut self, store: &dyn EventStore, append: Append) -> Result<Appended, StoreError>;

    /// As [`EventStore::read_stream`], with what this transaction has recorded.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn read_stream(
        &mut self,
        store: &dyn EventStore,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError>;
}

/// A store whose appends are a part of a transaction: made by [`Store::in_transaction`].
#[derive(Debug)]
#[must_use = "nothing is recorded until `append` is called"]
pub struct InTransaction<'a, T> {
    store: Store,
    tx: &'a mut T,
}

impl Store {
    /// Appends inside this transaction: what is appended is recorded once it is committed, and never if it is not. So events,
    /// rows and messages are one commit.
    ///
    /// The transaction must be one on the database that has the events: of `sqlite::Database::of` this file, or any of sqlx
    /// on this PostgreSQL database. See the guide, [`docs::store`](crate::docs::store#in-a-transaction).
    pub fn in_transaction<'a, T: Transaction>(&self, tx: &'a mut T) -> InTransaction<'a, T> {
        InTransaction { store: self.clone(), tx }
    }
}

impl<T: Transaction> InTransaction<'_, T> {
    /// Records events as a part of the transaction: all of them or none.
    ///
    /// # Errors
    /// `Conflict`: the stream is elsewhere, or something was recorded meanwhile; the transaction is as it was. `Invalid`: the
    /// store is not in the transaction's database, or as of [`Store::append`]. `Busy`: others were faster in a way that this
    /// transaction cannot see, or kept it waiting: begin anew. `Closed`: the transaction is over.
    ///
    /// # Cancel safety
    /// A dropped future may have put the events into the transaction or not.
    pub async fn append(&mut self, append: Append) -> Result<Appended, StoreError> {
        self.record(append).await
    }

    /// The events of a stream after a version, all of them, with those that the transaction has recorded.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn read<R: EventSet>(&mut self, stream: &StreamId, after: Version) -> Result<Vec<Stored<R>>, StoreError> {
        let mut all = Vec::new();
        each(self, stream, after, |stored| all.push(stored)).await?;
        Ok(all)
    }
}

/// Streams as somebody sees them: as they are, or with what a transaction has recorded.
pub(crate) trait Streams: Send {
    fn store(&self) -> &Store;

    fn page(
        &mut self,
        stream: &StreamId,
        after: Version,
    ) -> impl Future<Output = Result<Vec<Recorded>, StoreError>> + Send;

    fn record(&mut self, append: Append) -> impl Future<Output = Result<Appended, StoreError>> + Send;
}

impl Streams for &Store {
    fn store(&self) -> &Store {
        self
    }

    async fn page(&mut self, stream: &StreamId, after: Version) -> Result<Vec<Recorded>, StoreError> {
        self.inner().read_stream(stream, after, PAGE).await
    }

    async fn record(&mut self, append: Append) -> Result<Appended, StoreError> {
        self.append(append).await
    }
}

impl<T: Transaction> Streams for InTransaction<'_, T> {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn page(&mut self, stream: &StreamId, after: Version) -> Result<Vec<Recorded>, StoreError> {
        self.tx.read_stream(&**self.store.inner(), stream, after, PAGE).await
    }

    async fn record(&mut self, append: Append) -> Result<Appended, StoreError> {
        let append = self.store.ready(append).await?;
        self.tx.append(&**self.store.inner(), append).await
    }
}

/// Has each event of a stream after a version looked at, in order.
pub(crate) async fn each<R: EventSet>(
    streams: &mut impl Streams,
    stream: &StreamId,
    after: Version,
    mut look: impl FnMut(Stored<R>),
) -> Result<(), StoreError> {
    let mut after = after;
    loop {
        let page = streams.page(stream, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.version;
        let is_whole = page.len() < PAGE && page.iter().map(|recorded| recorded.entry.size()).sum::<usize>() < SHORT;
        for recorded in page {
            look(streams.store().stored(recorded).await?);
        }
        if is_whole {
            return Ok(());
        }
    }
}

/// The store as the kind that a transaction is on, however often it is shared.
///
/// # Errors
/// `Invalid`: it is of another kind.
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "no other store has transactions")
)]
pub(crate) fn of_kind<'a, K: EventStore>(store: &'a dyn EventStore, database: &str) -> Result<&'a K, StoreError> {
    let mut inner = store;
    while let Some(shared) = (inner as &dyn Any).downcast_ref::<Arc<dyn EventStore>>() {
        inner = &**shared;
    }
    (inner as &dyn Any).downcast_ref().ok_or_else(|| {
        let text = format!(
            "a store of the kind `{}` records nothing in a transaction on {database}: the events must be in that database",
            store.name()
        );
        StoreError::new(StoreErrorKind::Invalid, text)
    })
}
