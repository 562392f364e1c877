//! Transactions as users begin them, for the suite's appends.

use std::sync::Arc;

use async_trait::async_trait;
use tegami::{
    outbox::{Database, DatabaseError, DatabaseErrorKind},
    store::{Append, Appended, EventStore, StoreError, StoreErrorKind, Transaction},
    testing::store,
};

/// A transaction on this database, for appends to the store in it.
pub(crate) struct Begun<D: Database> {
    db: D,
    store: Arc<dyn EventStore>,
    tx: D::Tx,
}

impl<D: Database<Tx: Transaction>> Begun<D> {
    pub(crate) async fn on(db: &D, store: impl EventStore) -> Result<Option<Box<dyn store::Begun>>, StoreError> {
        let tx = db.begin().await.map_err(of_database)?;
        Ok(Some(Box::new(Self { db: db.clone(), store: Arc::new(store), tx })))
    }
}

#[async_trait]
impl<D: Database<Tx: Transaction>> store::Begun for Begun<D> {
    async fn append(&mut self, append: Append) -> Result<Appended, StoreError> {
        self.tx.append(&*self.store, append).await
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { db, tx, .. } = *self;
        db.commit(tx).await.map_err(of_database)
    }
}

fn of_database(error: DatabaseError) -> StoreError {
    let kind = match error.kind() {
        DatabaseErrorKind::Unknown => StoreErrorKind::Unknown,
        DatabaseErrorKind::Busy | DatabaseErrorKind::TooLong => StoreErrorKind::Busy,
        _ => StoreErrorKind::Closed,
    };
    StoreError::new(kind, "the transaction was not done").caused_by(error)
}
