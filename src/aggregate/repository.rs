//! Loads aggregates, has them decide, and records what they decided.

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Aggregate,
    snapshots::{NEVER, Snapshots},
};
use crate::store::{Append, EventSet, Expected, Store, StoreError, StreamId, Undecided, Version};

/// How often a command is tried when others were faster.
const ATTEMPTS: u32 = 16;

/// The aggregates of one kind in a store. Clones are cheap.
///
/// # Examples
/// See `examples/store.rs`.
pub struct Repository<A> {
    store: Store,
    snapshots: Option<Arc<Snapshots<A>>>,
}

/// An aggregate as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded<A> {
    /// Its state.
    pub state: A,
    /// The last event in it.
    pub version: Version,
    /// The last event in the snapshot of it.
    pub(super) saved: Version,
}

/// What a command led to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handled<A: Aggregate> {
    /// The events that were recorded, none if nothing was to be done.
    pub events: Vec<A::Event>,
    /// The aggregate after them.
    pub state: A,
    /// Where its stream is.
    pub version: Version,
}

impl<A: Aggregate> Repository<A> {
    /// The aggregates in this store, without snapshots.
    pub fn new(store: Store) -> Self {
        Self { store, snapshots: None }
    }

    /// Saves the state, as JSON, each time that so many events came since the last time.
    ///
    /// Where its events have personal fields, and the store encrypts them, nothing is saved: a state may have them too, and
    /// nobody could erase them there. [`impersonal_snapshots_every`](Self::impersonal_snapshots_every) is for states that have
    /// none.
    #[must_use]
    pub fn snapshots_every(self, events: u64) -> Self
    where
        A: Serialize + DeserializeOwned,
    {
        Self { snapshots: Some(Arc::new(Snapshots::every(events))), ..self }
    }

    /// As [`snapshots_every`](Self::snapshots_every), for a state that keeps nothing of the personal fields of its events.
    #[must_use]
    pub fn impersonal_snapshots_every(self, events: u64) -> Self
    where
        A: Serialize + DeserializeOwned,
    {
        Self { snapshots: Some(Arc::new(Snapshots::every(events).impersonal())), ..self }
    }

    /// How states are saved, if they may be.
    fn snapshots(&self) -> Option<&Snapshots<A>> {
        let has_personal = A::Event::has_personal();
        self.snapshots.as_deref().filter(|snapshots| self.store.may_save(has_personal && !snapshots.are_impersonal()))
    }

    /// The stream of the aggregate with this id.
    ///
    /// # Errors
    /// `Invalid`: the id cannot be a part of a stream's name.
    pub fn stream(&self, id: &str) -> Result<StreamId, StoreError> {
        StreamId::of(A::KIND, id)
    }

    /// The aggregate with this id; one without events is as new.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn load(&self, id: &str) -> Result<Loaded<A>, StoreError> {
        let stream = self.stream(id)?;
        let mut loaded = self.saved(&stream).await;
        self.catch_up(&stream, &mut loaded).await?;
        Ok(loaded)
    }

    /// Has the aggregate decide about a command, and records what it decided. If others were faster, it gets their events
    /// and decides anew, up to 16 times.
    ///
    /// # Errors
    /// `Refused`: the aggregate refuses it. `Store`: as [`Store::read`] and [`Store::append`]; of the kind `Conflict`, if
    /// others were faster each time.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves all that was decided recorded, or nothing.
    pub async fn handle(&self, id: &str, command: &A::Command) -> Result<Handled<A>, Undecided<A::Refusal>> {
        self.handle_with(id, command, |append| append).await
    }

    /// As [`handle`](Self::handle), with more said of what is recorded: what caused it, for one.
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    ///
    /// # Cancel safety
    /// As [`handle`](Self::handle).
    pub async fn handle_with(
        &self,
        id: &str,
        command: &A::Command,
        choose: impl Fn(Append) -> Append,
    ) -> Result<Handled<A>, Undecided<A::Refusal>> {
        let stream = self.stream(id)?;
        let mut loaded = self.saved(&stream).await;
        let mut attempt = 1;
        loop {
            self.catch_up(&stream, &mut loaded).await?;
            let events = loaded.state.decide(command).map_err(Undecided::Refused)?;
            if events.is_empty() {
                return Ok(Handled { events, state: loaded.state, version: loaded.version });
            }
            let append = Append::to(stream.clone()).expecting(Expected::Exactly(loaded.version));
            let append = choose(events.iter().try_fold(append, Append::event)?);
            match self.store.append(append).await {
                Ok(_) => return Ok(self.advance(&stream, loaded, events).await),
                Err(error) if error.kind().is_conflict() && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The aggregate after what it decided.
    async fn advance(&self, stream: &StreamId, mut loaded: Loaded<A>, events: Vec<A::Event>) -> Handled<A> {
        events.iter().for_each(|event| loaded.state.evolve(event));
        loaded.version = loaded.version.later(events.len() as u64);
        if let Some(snapshots) = self.snapshots() {
            snapshots.keep(&**self.store.inner(), stream, &mut loaded).await;
        }
        Handled { events, state: loaded.state, version: loaded.version }
    }

    /// The state that was saved, or that before all events.
    async fn saved(&self, stream: &StreamId) -> Loaded<A> {
        let new = || Loaded { state: A::default(), version: Version::START, saved: NEVER };
        let Some(snapshots) = self.snapshots() else { return new() };
        snapshots.load(&**self.store.inner(), stream).await.unwrap_or_else(new)
    }

    /// Reads what came since.
    async fn catch_up(&self, stream: &StreamId, loaded: &mut Loaded<A>) -> Result<(), StoreError> {
        self.store
            .each::<A::Event>(stream, loaded.version, |stored| {
                loaded.state.evolve(&stored.event);
                loaded.version = stored.version;
            })
            .await
    }
}

impl<A> Clone for Repository<A> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), snapshots: self.snapshots.clone() }
    }
}

impl<A: Aggregate> fmt::Debug for Repository<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("kind", &A::KIND).field("store", &self.store).finish_non_exhaustive()
    }
}
