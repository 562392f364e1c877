//! The store in this process's memory: the same rules as a database, until the process ends.

mod state;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::watch;

use self::state::State;
use super::{
    Append, Appended, EventStore, Page, Position, Query, Recorded, Snapshot, StoreError, StoreErrorKind, StreamId,
    Version,
};

/// Keeps events in memory. They end with the process; clones share them.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// The position of the last event.
    last: watch::Sender<Position>,
}

impl Memory {
    /// A store without events.
    pub fn new() -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), last: watch::Sender::new(Position::START) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic happens while the events are held")
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl EventStore for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check()?;
        let appended = self.state().append(append)?;
        appended.position.tell(&self.0.last);
        Ok(appended)
    }

    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        Ok(self.state().of_stream(stream, after, limit))
    }

    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError> {
        Ok(self.state().of_query(query, after, limit))
    }

    async fn later_than(&self, position: Position) -> Result<(), StoreError> {
        let mut last = self.0.last.subscribe();
        let gone = |_| StoreError::new(StoreErrorKind::Closed, "the store in memory is gone");
        last.wait_for(|last| *last > position).await.map(drop).map_err(gone)
    }

    async fn snapshot(&self, stream: &StreamId, state: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.state().snapshot(stream, state))
    }

    async fn keep_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.state().keep(snapshot);
        Ok(())
    }

    async fn close(&self) {}
}
