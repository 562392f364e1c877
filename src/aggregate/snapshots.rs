//! Saved states of an aggregate, so that not all its events are read each time.

use serde::{Serialize, de::DeserializeOwned};

use super::{Aggregate, Loaded};
use crate::store::{EventStore, Snapshot, StreamId, Version};

/// How states become bytes and come back, and how often they are saved.
pub(super) struct Snapshots<A> {
    every: u64,
    impersonal: bool,
    write: fn(&A) -> Option<Vec<u8>>,
    read: fn(&[u8]) -> Option<A>,
}

impl<A: Aggregate + Serialize + DeserializeOwned> Snapshots<A> {
    pub(super) fn every(events: u64) -> Self {
        let write = |state: &A| serde_json::to_vec(state).ok();
        Self { every: events.max(1), impersonal: false, write, read: |bytes| serde_json::from_slice(bytes).ok() }
    }
}

impl<A: Aggregate> Snapshots<A> {
    /// The states keep nothing personal.
    pub(super) fn impersonal(self) -> Self {
        Self { impersonal: true, ..self }
    }

    pub(super) fn are_impersonal(&self) -> bool {
        self.impersonal
    }

    /// The state that was saved last, if it can be read: the events tell it all the same.
    pub(super) async fn load(&self, store: &dyn EventStore, stream: &StreamId) -> Option<Loaded<A>> {
        let snapshot = store.snapshot(stream, &kind::<A>()).await.ok().flatten()?;
        let state = (self.read)(&snapshot.bytes)?;
        Some(Loaded { state, version: snapshot.version, saved: snapshot.version, is_personal: false })
    }

    /// Saves the state, if so many events came since, and nobody would have to erase anything in it. One that is not saved is
    /// saved the next time.
    pub(super) async fn keep(&self, store: &dyn EventStore, stream: &StreamId, loaded: &mut Loaded<A>) {
        let since = loaded.version.number().saturating_sub(loaded.saved.number());
        if since < self.every || loaded.is_personal && !self.impersonal {
            return;
        }
        let Some(bytes) = (self.write)(&loaded.state) else { return };
        let snapshot = Snapshot::new(stream.clone(), kind::<A>(), loaded.version, bytes);
        match store.keep_snapshot(snapshot).await {
            Ok(()) => loaded.saved = loaded.version,
            Err(error) => {
                tracing::warn!(%stream, error = error.with_causes(), "a snapshot was not saved: all events will be read");
            }
        }
    }
}

fn kind<A: Aggregate>() -> String {
    format!("{}.{}", A::KIND, A::SNAPSHOT)
}

/// Nothing was saved yet.
pub(super) const NEVER: Version = Version::START;
