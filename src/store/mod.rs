//! Events kept for good, in order: the trait that stores implement, the words it is spoken in, and [`Store`], through which
//! typed events are appended and read.
//!
//! What is kept is what travels on the bus: a contract's name and version, the payload in the contract's encoding, and the
//! head beside it. A store knows nothing of services, handlers and transports. The guide is [`docs::store`](crate::docs::store).

mod append;
mod decide;
mod entry;
mod error;
mod follow;
mod handle;
pub mod keys;
mod limits;
pub mod memory;
mod personal;
mod place;
#[cfg(feature = "postgres")]
pub mod postgres;
mod query;
mod set;
mod snapshot;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod stream;
mod within;

pub use append::{Append, Appended, Expected, Unless};
pub use decide::{Known, Undecided};
pub use entry::{Entry, Recorded};
pub use error::{Conflict, StoreError, StoreErrorKind};
pub use follow::Follow;
pub use handle::{Found, Store, Stored};
#[cfg(feature = "sqlite")]
pub use keys::MasterKey;
pub use keys::{DataKey, Kept, KeyId, Keys};
pub use memory::Memory;
pub use place::{Position, Version};
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
pub use query::{Criterion, Query, Tag};
pub use set::EventSet;
#[doc(hidden)]
pub use set::unknown;
pub use snapshot::Snapshot;
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, SqliteKeys};
pub use stream::StreamId;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use within::of_kind;
pub use within::{InTransaction, Transaction};
pub(crate) use within::{Streams, each};

use std::{any::Any, sync::Arc};

use async_trait::async_trait;

/// Events of many streams, from one position on.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The events, in the order of their positions.
    pub events: Vec<Recorded>,
    /// Up to where the store was looked through: where the next read begins.
    pub next: Position,
}

impl Page {
    /// These events; all up to this position were looked at.
    pub fn new(events: Vec<Recorded>, next: Position) -> Self {
        Self { events, next }
    }
}

/// Keeps events in streams, and all of them in one order.
///
/// Implementations MUST
/// - ask [`Append::check`] first, and record all events of an append or none, whatever happens (E1);
/// - let exactly one of several appends that expect the same version through, and give versions without gaps (E1);
/// - answer `Ok` only once the events outlive what the store says it outlives (E2), and `Unknown` whenever they may have
///   been recorded;
/// - answer an append whose ids are all recorded already, in this order in this stream, as it was answered then, whatever
///   it expects; and refuse it as `Duplicate` if some of them are, or are elsewhere;
/// - compare `expected` and look for what `unless` names in the same step that records the events;
/// - never show an event to a reader of [`read_all`](Self::read_all) while one with an earlier position may still appear
///   (E3);
/// - give back each entry as it was given.
///
/// The well-known mistake: reading by `position > last` from a database whose transactions end in another order than they
/// drew their numbers. What ends later is then never read.
#[async_trait]
pub trait EventStore: Any + Send + Sync {
    /// What kind of store this is, in one lower-case word.
    fn name(&self) -> &'static str;

    /// Records events: all of them or none.
    ///
    /// # Errors
    /// `Unknown` when they may have been recorded; every other kind when they certainly were not.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves all of the events recorded, or none.
    async fn append(&self, append: Append) -> Result<Appended, StoreError>;

    /// The events of a stream after a version, in order, at most `limit`; fewer only at the end, or where they have 2 MiB or
    /// more.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError>;

    /// The events that match, after a position, in order, at most `limit`; fewer where they are large. With none,
    /// [`next`](Page::next) is the end of what can be read yet.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError>;

    /// The events that match, after a position, that are recorded, and that [`read_all`](Self::read_all) may not show yet,
    /// since one with an earlier position may still appear; in the order of their positions, at most `limit`. For
    /// decisions: an append with [`Unless`] is compared with these too.
    ///
    /// Where no event has to wait for others there are none: that is the default.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn read_ahead(&self, query: &Query, after: Position, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let (_, _, _) = (query, after, limit);
        Ok(Vec::new())
    }

    /// How many events match after a position, among those that [`read_all`](Self::read_all) shows; `most`, if there are
    /// more. By default they are read for it, page by page.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn count(&self, query: &Query, after: Position, most: u64) -> Result<u64, StoreError> {
        let (mut found, mut after) = (0, after);
        while found < most {
            let page = self.read_all(query, after, handle::PAGE).await?;
            if page.events.is_empty() {
                return Ok(found);
            }
            found += page.events.len() as u64;
            after = page.next;
        }
        Ok(most)
    }

    /// Waits until there may be an event after this position. It may return early.
    ///
    /// # Errors
    /// The store cannot be read.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    async fn later_than(&self, position: Position) -> Result<(), StoreError>;

    /// The snapshot of this state of a stream that was kept last.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn snapshot(&self, stream: &StreamId, state: &str) -> Result<Option<Snapshot>, StoreError>;

    /// Keeps a snapshot, in place of an earlier one of the same state and stream; one of a later version stays.
    ///
    /// # Errors
    /// It was not kept, or may not have been.
    async fn keep_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError>;

    /// Lets go of everything. What was answered `Ok` stays.
    async fn close(&self);
}

/// Shared stores are stores.
#[async_trait]
impl EventStore for Arc<dyn EventStore> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        (**self).append(append).await
    }

    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        (**self).read_stream(stream, after, limit).await
    }

    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError> {
        (**self).read_all(query, after, limit).await
    }

    async fn read_ahead(&self, query: &Query, after: Position, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        (**self).read_ahead(query, after, limit).await
    }

    async fn count(&self, query: &Query, after: Position, most: u64) -> Result<u64, StoreError> {
        (**self).count(query, after, most).await
    }

    async fn later_than(&self, position: Position) -> Result<(), StoreError> {
        (**self).later_than(position).await
    }

    async fn snapshot(&self, stream: &StreamId, state: &str) -> Result<Option<Snapshot>, StoreError> {
        (**self).snapshot(stream, state).await
    }

    async fn keep_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        (**self).keep_snapshot(snapshot).await
    }

    async fn close(&self) {
        (**self).close().await;
    }
}
