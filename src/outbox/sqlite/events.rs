//! Events in a transaction: those of the store in its own file.

use async_trait::async_trait;

use super::Tx;
use crate::{
    outbox::sql::to_store,
    store::{
        self, Append, Appended, EventStore, Recorded, Sqlite, StoreError, StoreErrorKind, StreamId, Version, of_kind,
        sqlite::{query, write},
    },
};

/// Appends in the file that the transaction is on, opened once: by [`Database::of`](super::Database::of) its store, or
/// [`Database::store`](super::Database::store). Who follows is told at the commit.
#[async_trait]
impl store::Transaction for Tx {
    async fn append(&mut self, store: &dyn EventStore, append: Append) -> Result<Appended, StoreError> {
        append.check()?;
        self.check_file(store)?;
        let work = move |sql: &rusqlite::Connection| match write::append_alone(sql, &append) {
            Ok(appended) => Ok(Ok(appended)),
            Err(write::Failed::Refused(refused)) => Ok(Err(refused)),
            Err(write::Failed::Sqlite(error)) => Err(error),
        };
        let appended = self.run(work).await.map_err(to_store)??;
        self.appended = self.appended.max(Some(appended.position));
        Ok(appended)
    }

    async fn read_stream(
        &mut self,
        store: &dyn EventStore,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.check_file(store)?;
        let stream = stream.clone();
        self.run(move |sql| query::of_stream(sql, &stream, after, limit)).await.map_err(to_store)
    }
}

impl Tx {
    /// Another opening of the file would wait for this transaction, and its followers would not be told.
    fn check_file(&self, store: &dyn EventStore) -> Result<(), StoreError> {
        let file = &self.database.file;
        let here = file.path().display();
        let store: &Sqlite = of_kind(store, &format!("the SQLite file `{here}`"))?;
        if store.is(file) {
            return Ok(());
        }
        let there = store.path().display();
        let text = format!(
            "the store in `{there}` records nothing in a transaction on `{here}`: both must be one file, opened once, by \
             `Database::of(&store)` or `database.store()`"
        );
        Err(StoreError::new(StoreErrorKind::Invalid, text))
    }
}
