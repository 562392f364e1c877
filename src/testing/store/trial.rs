//! What a case has to work with.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::{
    store::{
        Append, Appended, EventStore, Expected, Memory, Position, Query, Recorded, Store, StoreError, StreamId, Version,
    },
    testing::transport::LetterPosted,
};

/// A store under test: its connections, all to the same events.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// Opens one more connection.
    ///
    /// # Errors
    /// The store cannot be opened.
    async fn open(&self) -> Result<Arc<dyn EventStore>, StoreError>;

    /// Are the events there when all connections were closed? Default: no.
    fn outlives_connections(&self) -> bool {
        false
    }

    /// Another store, with room for some hundred small events, and the way to give it more. Default: none can be made.
    async fn cramped(&self) -> Option<(Arc<dyn EventStore>, Arc<dyn Subject>)> {
        None
    }

    /// Begins a transaction as a user of the database would, for appends to be a part of. Default: there are none.
    ///
    /// # Errors
    /// None was begun.
    async fn begin(&self) -> Result<Option<Box<dyn Begun>>, StoreError> {
        Ok(None)
    }
}

/// A transaction that was begun in the database of a store under test. Dropped, it is undone.
#[async_trait]
pub trait Begun: Send {
    /// Records events as a part of it.
    ///
    /// # Errors
    /// As [`Transaction::append`](crate::store::Transaction::append).
    async fn append(&mut self, append: Append) -> Result<Appended, StoreError>;

    /// Makes what was recorded in it last.
    ///
    /// # Errors
    /// `Unknown`: it may last. Every other kind: certainly not.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

#[async_trait]
impl Subject for Memory {
    async fn open(&self) -> Result<Arc<dyn EventStore>, StoreError> {
        Ok(Arc::new(self.clone()))
    }
}

/// One case's look at a store.
pub struct Trial {
    /// The store under test.
    pub subject: Arc<dyn Subject>,
    open: Mutex<Vec<Arc<dyn EventStore>>>,
}

impl Trial {
    pub(super) fn new(subject: impl Subject) -> Self {
        Self { subject: Arc::new(subject), open: Mutex::default() }
    }

    /// A connection of its own.
    pub(super) async fn connect(&self) -> Arc<dyn EventStore> {
        let store = self.subject.open().await.expect("the store can be opened");
        self.open.lock().expect("no panic while it is held").push(store.clone());
        store
    }

    /// A connection of its own, for typed events.
    pub(super) async fn store(&self) -> Store {
        Store::new(self.connect().await).service("suite")
    }

    /// Closes all connections.
    pub(super) async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().expect("no panic while it is held"));
        for store in open {
            store.close().await;
        }
    }
}

/// The stream of this name.
pub(super) fn stream(name: &str) -> StreamId {
    StreamId::new(name).expect("a good name")
}

/// So many letters to be put at the end of the stream, or at this version.
pub(super) fn letters(stream: &StreamId, numbers: impl IntoIterator<Item = u64>, expected: Expected) -> Append {
    let append = Append::to(stream.clone()).expecting(expected);
    numbers
        .into_iter()
        .fold(append, |append, number| append.event(&letter(stream.as_str(), number)).expect("it is valid"))
}

/// A letter of this number in a box.
pub(super) fn letter(r#box: &str, number: u64) -> LetterPosted {
    LetterPosted::builder().r#box(r#box).number(number).text(format!("{} {number}", r#box)).build()
}

/// Every event, from a position on.
pub(super) async fn all(store: &Store, after: Position) -> Vec<Recorded> {
    matching(store, &Query::all(), after).await
}

/// Every event that matches, from a position on.
pub(super) async fn matching(store: &Store, query: &Query, after: Position) -> Vec<Recorded> {
    let (mut found, mut after) = (Vec::new(), after);
    loop {
        let page = store.inner().read_all(query, after, 100).await.expect("the store can be read");
        if page.next == after {
            assert!(page.events.is_empty(), "events came, and the page stands still at {after}");
            return found;
        }
        assert!(page.next > after, "the page goes back from {after} to {}", page.next);
        found.extend(page.events);
        after = page.next;
    }
}

/// The versions of a stream's events.
pub(super) async fn versions(store: &Store, stream: &StreamId) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::new();
    loop {
        let after = Version::new(found.last().copied().unwrap_or_default());
        let page = store.inner().read_stream(stream, after, 100).await.expect("the store can be read");
        if page.is_empty() {
            return found;
        }
        found.extend(page.iter().map(|recorded| recorded.version.number()));
    }
}
