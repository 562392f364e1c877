//! Loads aggregates, has them decide, and records what they decided.

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Aggregate,
    snapshots::{NEVER, Snapshots},
};
use crate::store::{
    self, Append, EventSet, Expected, Store, StoreError, StreamId, Streams, Transaction, Undecided, Version, each,
};

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
    /// Has it an event of which something is encrypted where it is kept?
    pub(super) is_personal: bool,
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
    /// nobody could erase them there. Nor is a state saved with an event of which something is encrypted, though its contract, or
    /// the one that it was upcast to, has no personal field any more. [`impersonal_snapshots_every`](Self::impersonal_snapshots_every) is for states that have
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
        loaded.catch_up(&mut &self.store, &stream).await?;
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
        let events = handle(&mut &self.store, &stream, &mut loaded, (command, choose)).await?;
        if let Some(snapshots) = self.snapshots().filter(|_| !events.is_empty()) {
            snapshots.keep(&**self.store.inner(), &stream, &mut loaded).await;
        }
        Ok(Handled { events, state: loaded.state, version: loaded.version })
    }

    /// Has aggregates decide inside this transaction: what they decide is recorded once it is committed, and never if it is
    /// not. Which transactions fit, [`Store::in_transaction`] tells.
    pub fn in_transaction<'a, T: Transaction>(&self, tx: &'a mut T) -> InTransaction<'a, A, T> {
        InTransaction { streams: self.store.in_transaction(tx), kind: PhantomData }
    }

    /// The state that was saved, or that before all events.
    async fn saved(&self, stream: &StreamId) -> Loaded<A> {
        let Some(snapshots) = self.snapshots() else { return Loaded::new() };
        snapshots.load(&**self.store.inner(), stream).await.unwrap_or_else(Loaded::new)
    }
}

impl<A: Aggregate> Loaded<A> {
    fn new() -> Self {
        Self { state: A::default(), version: Version::START, saved: NEVER, is_personal: false }
    }

    /// Reads what came since.
    async fn catch_up(&mut self, streams: &mut impl Streams, stream: &StreamId) -> Result<(), StoreError> {
        each::<A::Event>(streams, stream, self.version, |stored| {
            self.state.evolve(&stored.event);
            self.version = stored.version;
            self.is_personal |= stored.is_opened();
        })
        .await
    }
}

/// Has the aggregate decide about a command, records what it decided, and has the state be that after it. If others were
/// faster, it decides anew.
async fn handle<A: Aggregate>(
    streams: &mut impl Streams,
    stream: &StreamId,
    loaded: &mut Loaded<A>,
    (command, choose): (&A::Command, impl Fn(Append) -> Append),
) -> Result<Vec<A::Event>, Undecided<A::Refusal>> {
    let mut attempt = 1;
    loop {
        loaded.catch_up(streams, stream).await?;
        let events = loaded.state.decide(command).map_err(Undecided::Refused)?;
        if events.is_empty() {
            return Ok(events);
        }
        let append = Append::to(stream.clone()).expecting(Expected::Exactly(loaded.version));
        let append = choose(events.iter().try_fold(append, Append::event)?);
        match streams.record(append).await {
            Ok(_) => {
                events.iter().for_each(|event| loaded.state.evolve(event));
                loaded.version = loaded.version.later(events.len() as u64);
                return Ok(events);
            }
            Err(error) if error.kind().is_conflict() && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// The aggregates of one kind, inside a transaction: made by [`Repository::in_transaction`].
#[must_use = "nothing is decided until `handle` is called"]
pub struct InTransaction<'a, A, T> {
    streams: store::InTransaction<'a, T>,
    kind: PhantomData<fn() -> A>,
}

impl<A: Aggregate, T: Transaction> InTransaction<'_, A, T> {
    /// As [`Repository::handle`], as a part of the transaction. All events of the aggregate are read, for snapshots are left
    /// alone: nobody knows yet whether there will be what they would have in them.
    ///
    /// # Errors
    /// As [`Repository::handle`], and as [`store::InTransaction::append`].
    ///
    /// # Cancel safety
    /// A dropped future may have put the events into the transaction or not.
    pub async fn handle(&mut self, id: &str, command: &A::Command) -> Result<Handled<A>, Undecided<A::Refusal>> {
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
        &mut self,
        id: &str,
        command: &A::Command,
        choose: impl Fn(Append) -> Append,
    ) -> Result<Handled<A>, Undecided<A::Refusal>> {
        let stream = StreamId::of(A::KIND, id)?;
        let mut loaded = Loaded::new();
        let events = handle(&mut self.streams, &stream, &mut loaded, (command, choose)).await?;
        Ok(Handled { events, state: loaded.state, version: loaded.version })
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
