//! Recorded events, behind the world's chance: the store in memory, and one life's connection to it.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures_util::FutureExt;
use tegami::{
    envelope::MessageId,
    event::Value,
    outbox::{DatabaseError, DatabaseErrorKind},
    store::{
        Append, Appended, EventStore, Memory, Page, Position, Query, Recorded, Snapshot, StoreError, StoreErrorKind,
        StreamId, Version,
    },
};

use tokio::sync::Notify;

use super::Counter;
use crate::happened::{Archived, Happened};

/// What is recorded. No clock, no chance.
#[derive(Default)]
pub struct Archive {
    memory: Memory,
    known: Mutex<Known>,
    /// Wakes those who wait in the order in which they came, which the memory does not.
    bell: Notify,
}

/// What is asked for so often that the memory is not asked.
#[derive(Default)]
struct Known {
    /// The last position.
    end: Position,
    /// Up to where the model was told.
    told: Position,
    positions: HashMap<MessageId, u64>,
}

impl Archive {
    /// Records at once.
    pub fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let appended = now(self.memory.append(append))?;
        let mut known = self.known();
        for event in self.after(known.end) {
            known.end = event.position;
            known.positions.extend(event.entry.message.head.id.map(|id| (id, event.position.number())));
        }
        self.bell.notify_waiters();
        Ok(appended)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is an event after this position.
    async fn later_than(&self, position: Position) {
        loop {
            let mut bell = pin!(self.bell.notified());
            bell.as_mut().enable();
            if self.end() > position {
                return;
            }
            bell.await;
        }
    }

    /// Where the stream is.
    pub fn version(&self, stream: &StreamId) -> Version {
        self.stream(stream, Version::START).last().map_or(Version::START, |last| last.version)
    }

    /// The events of a stream after a version.
    pub fn stream(&self, stream: &StreamId, after: Version) -> Vec<Recorded> {
        now(self.memory.read_stream(stream, after, usize::MAX)).expect("memory can be read")
    }

    /// The last position.
    pub fn end(&self) -> Position {
        self.known().end
    }

    /// Where the event with this id is.
    pub fn position(&self, id: &MessageId) -> Option<u64> {
        self.known().positions.get(id).copied()
    }

    /// What the model has not been told yet.
    pub fn news(&self) -> Vec<Happened> {
        let mut known = self.known();
        if known.told == known.end {
            return Vec::new();
        }
        let events = self.after(known.told);
        known.told = known.end;
        events.iter().map(step).collect()
    }

    fn after(&self, position: Position) -> Vec<Recorded> {
        now(self.memory.read_all(&Query::all(), position, usize::MAX)).expect("memory can be read").events
    }
}

/// Memory makes nobody wait.
fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("memory answers at once")
}

fn step(event: &Recorded) -> Happened {
    let head = &event.entry.message.head;
    let number = match head.attributes.get("number") {
        Some(Value::Integer(number)) => u64::try_from(*number).expect("all of them count from 0"),
        _ => panic!("every letter has a number"),
    };
    Happened::Archived(Archived::Recorded {
        position: event.position.number(),
        number,
        key: head.key.clone().expect("every letter has its key"),
        ordered: event.entry.name().ends_with("Filed"),
        stream: event.stream.to_string(),
    })
}

/// One life's connection to what is recorded.
pub struct Drawer(pub Counter);

impl Drawer {
    async fn ask(&self) -> Result<(), StoreError> {
        self.0.ask().await.map_err(|error| away(&error))
    }

    async fn answer<T>(&self, answer: T, lost: DatabaseErrorKind) -> Result<T, StoreError> {
        self.0.answer(answer, lost).await.map_err(|error| away(&error))
    }

    fn archive(&self) -> &Archive {
        &self.0.office.archive
    }
}

/// The same, as a store says it.
pub fn away(error: &DatabaseError) -> StoreError {
    let kind = match error.kind() {
        DatabaseErrorKind::Unknown => StoreErrorKind::Unknown,
        DatabaseErrorKind::Busy => StoreErrorKind::Busy,
        _ => StoreErrorKind::Unreachable,
    };
    StoreError::new(kind, "the archive does not answer")
}

#[async_trait]
impl EventStore for Drawer {
    fn name(&self) -> &'static str {
        "drawer"
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check()?;
        self.ask().await?;
        let appended = self.archive().append(append)?;
        self.0.office.tell(self.archive().news());
        self.answer(appended, DatabaseErrorKind::Unknown).await
    }

    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.ask().await?;
        let mut found = self.archive().stream(stream, after);
        found.truncate(limit);
        self.answer(found, DatabaseErrorKind::Unreachable).await
    }

    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError> {
        self.ask().await?;
        let page = self.archive().memory.read_all(query, after, limit).await?;
        self.answer(page, DatabaseErrorKind::Unreachable).await
    }

    async fn later_than(&self, position: Position) -> Result<(), StoreError> {
        self.archive().later_than(position).await;
        Ok(())
    }

    async fn snapshot(&self, _: &StreamId, _: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    async fn keep_snapshot(&self, _: Snapshot) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}
