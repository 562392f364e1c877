//! Events in a transaction of sqlx, wherever it was begun: those of a store in the same database.

use async_trait::async_trait;
use sqlx::Postgres;

use crate::store::{self, Append, Appended, EventStore, Recorded, StoreError, StreamId, Version, of_kind};

/// Appends in the store's own schema, in whichever transaction on its database. Who follows is told with the commit.
///
/// Others that append to the stream wait until this transaction ends, and so do those that decide over its events.
#[async_trait]
impl store::Transaction for sqlx::Transaction<'_, Postgres> {
    async fn append(&mut self, store: &dyn EventStore, append: Append) -> Result<Appended, StoreError> {
        kind(store)?.append_in(self, &append).await
    }

    async fn read_stream(
        &mut self,
        store: &dyn EventStore,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        kind(store)?.read_stream_in(self, (stream, after), limit).await
    }
}

fn kind(store: &dyn EventStore) -> Result<&store::Postgres, StoreError> {
    of_kind(store, "PostgreSQL")
}
