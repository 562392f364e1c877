//! The store as services use it: typed events go in and come out, older ones as the newer.

use std::{fmt, sync::Arc};

use tracing::Span;

use super::{
    Append, Appended, Entry, EventSet, EventStore, Follow, Position, Query, Recorded, StoreError, StoreErrorKind,
    StreamId, Version, entry::TRACE, personal::Privacy, within,
};
use crate::{
    codec::{DecodeError, Upcasts, Values},
    contract::Contract,
    envelope::{Head, MessageId},
    event::{Event, Upcast},
    telemetry::spans,
    time::{Dice, Wall},
};

/// How many events are read at once where all are wanted.
pub(crate) const PAGE: usize = 256;

/// Appends typed events to an event store, and reads them. Clones are cheap and share it.
///
/// It gives each event its id and time, correlation and trace. Events of an older contract are read as those of the newer
/// one, where [`upcast`](Self::upcast) says how.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::orders::v1::OrderPaid;
/// use tegami::store::{Append, Expected, Memory, Store, StreamId, Version};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tegami::store::StoreError> {
/// let store = Store::new(Memory::new()).service("billing");
/// let stream = StreamId::of("order", "o-1")?;
/// let paid = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build();
/// store.append(Append::to(stream.clone()).expecting(Expected::None).event(&paid)?).await?;
///
/// let events = store.read::<OrderPaid>(&stream, Version::START).await?;
/// assert_eq!((events.len(), &events[0].event), (1, &paid));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Store {
    store: Arc<dyn EventStore>,
    pub(super) upcasts: Arc<Upcasts>,
    service: Option<Arc<str>>,
    pub(super) privacy: Privacy,
    wall: Wall,
    dice: Dice,
}

/// A typed event with its places and what was kept beside it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stored<E> {
    /// Its place in the whole store.
    pub position: Position,
    /// The stream it is in.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// Id, time, service, correlation and what else is known.
    pub head: Head,
    /// The event.
    pub event: E,
    values: Values,
}

impl<E> Stored<E> {
    /// Were its personal fields erased, as its subject was forgotten? They have their defaults then: absent, empty, 0. No rule
    /// of the contract is asked of such an event, for it kept them when it was recorded.
    pub fn is_erased(&self) -> bool {
        self.values == Values::Erased
    }

    /// Is something in it encrypted where it is kept, whatever its contract says by now?
    pub(crate) fn is_opened(&self) -> bool {
        self.values == Values::Opened
    }
}

/// What a query found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Found<E> {
    /// The events, in the order of their positions.
    pub events: Vec<Stored<E>>,
    /// Up to where the store was looked through: where the next search begins.
    pub next: Position,
}

impl Store {
    /// Appends to this store and reads it.
    pub fn new(store: impl EventStore) -> Self {
        let (wall, dice) = (Wall::system(), Dice::system());
        let (upcasts, privacy) = (Arc::default(), Privacy::default());
        Self { store: Arc::new(store), upcasts, service: None, privacy, wall, dice }
    }

    /// The service whose name events are appended under.
    #[must_use]
    pub fn service(self, name: impl Into<Arc<str>>) -> Self {
        Self { service: Some(name.into()), ..self }
    }

    /// Events are recorded with the time of this wall clock. Their order is another matter: that is how they were
    /// appended, even if the clock goes back.
    #[must_use]
    pub fn wall(self, wall: Wall) -> Self {
        Self { wall, ..self }
    }

    /// Events of the older contract are read as those of the newer one. Steps add up.
    ///
    /// What both declare under one name, as key or as attribute, should keep its value: it is looked for as it was
    /// recorded.
    #[must_use]
    pub fn upcast<Old: Event, New: Upcast<Old>>(mut self) -> Self {
        Arc::make_mut(&mut self.upcasts).add::<Old, New>();
        self
    }

    /// The store underneath.
    pub fn inner(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Records events: all of them or none. One whose outcome is unknown is tried once more with the same ids, which
    /// records nothing twice.
    ///
    /// # Errors
    /// `Conflict`: the stream is elsewhere, or something was recorded meanwhile. `Unknown`: the events may have been
    /// recorded; after every other kind they certainly were not.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves all of the events recorded, or none.
    pub async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let append = self.ready(append).await?;
        match self.store.append(append.clone()).await {
            Err(error) if error.kind() == StoreErrorKind::Unknown => match self.store.append(append).await {
                // It was not asked, and so has not found out.
                Err(again) if again.is_transient() || again.kind() == StoreErrorKind::Closed => Err(error),
                answered => answered,
            },
            answered => answered,
        }
    }

    /// The events of a stream after a version, all of them.
    ///
    /// # Errors
    /// `Unreadable`: an event is none of `R` and no upcast makes it one, or its bytes are not what its name says; the text
    /// tells where it is. Otherwise the store cannot be read.
    pub async fn read<R: EventSet>(&self, stream: &StreamId, after: Version) -> Result<Vec<Stored<R>>, StoreError> {
        let mut all = Vec::new();
        self.each(stream, after, |stored| all.push(stored)).await?;
        Ok(all)
    }

    /// Has each event of a stream after a version looked at, in order, and keeps none of them.
    ///
    /// # Errors
    /// As [`read`](Self::read); those before have been looked at.
    pub async fn each<R: EventSet>(
        &self,
        stream: &StreamId,
        after: Version,
        look: impl FnMut(Stored<R>),
    ) -> Result<(), StoreError> {
        within::each(&mut &*self, stream, after, look).await
    }

    /// The events that match, after a position, at most `limit`.
    ///
    /// # Errors
    /// `Invalid`: the query asks for what none of its events declares. `Unreadable`: an event that matches is none of `R`.
    /// Otherwise the store cannot be read.
    pub async fn find<R: EventSet>(
        &self,
        query: impl Into<Query>,
        after: Position,
        limit: usize,
    ) -> Result<Found<R>, StoreError> {
        let query = query.into();
        query.check()?;
        let page = self.store.read_all(&self.widened(&query), after, limit).await?;
        Ok(Found { events: self.matching(&query, page.events).await?, next: page.next })
    }

    /// The events that match, after a position, and those that come later as they come.
    pub fn follow<R: EventSet>(&self, query: impl Into<Query>, after: Position) -> Follow<R> {
        Follow::new(self.clone(), query.into(), after)
    }

    /// The event as `R` has it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) async fn stored<R: EventSet>(&self, recorded: Recorded) -> Result<Stored<R>, StoreError> {
        let mut recorded = recorded;
        let values = self.open::<R>(&mut recorded).await?;
        self.lift::<R>(&mut recorded, values)?;
        typed(recorded, values)
    }

    /// The way for events of this name: that of its own contract, else one that an upcast leads to.
    pub(crate) fn way_for<'a, T>(
        &self,
        name: &str,
        ways: &'a [T],
        leads_to: fn(&T) -> &'static Contract,
    ) -> Option<&'a T> {
        let own = ways.iter().find(|way| leads_to(way).name == name);
        own.or_else(|| ways.iter().find(|way| self.upcasts.from(name, leads_to(way)).is_some()))
    }

    /// The query, with the contracts whose events become those that it asks for.
    pub(crate) fn widened(&self, query: &Query) -> Query {
        query.widened(|contract| self.upcasts.older(contract))
    }

    /// Those of these events that match as they are now.
    pub(super) async fn matching<R: EventSet>(
        &self,
        query: &Query,
        found: Vec<Recorded>,
    ) -> Result<Vec<Stored<R>>, StoreError> {
        let mut events = Vec::with_capacity(found.len());
        for mut recorded in found {
            let values = self.open::<R>(&mut recorded).await?;
            self.lift::<R>(&mut recorded, values)?;
            if query.matches(&recorded.entry) {
                events.push(typed(recorded, values)?);
            }
        }
        Ok(events)
    }

    /// The append as a store is to record it: nothing is left to be filled in, its condition finds older events too, and what
    /// is personal is sealed.
    pub(super) async fn ready(&self, append: Append) -> Result<Append, StoreError> {
        let mut append = self.filled(append);
        if let Some(unless) = &mut append.unless {
            unless.query = self.widened(&unless.query);
        }
        self.sealed(append).await
    }

    /// Gives each event what it has not: id, time, service, cause, trace.
    pub(crate) fn filled(&self, mut append: Append) -> Append {
        let cause = append.cause.clone();
        for Entry { message, .. } in &mut append.entries {
            let head = &mut message.head;
            head.id.get_or_insert_with(|| MessageId::draw(&self.dice));
            head.time.get_or_insert_with(|| self.wall.now());
            if let Some(service) = self.service.as_deref().filter(|_| head.source.service.is_none()) {
                head.source.service = Some(service.to_owned().into());
            }
            head.correlation_id = head.correlation_id.take().or_else(|| cause.correlation_id.clone());
            head.causation_id = head.causation_id.take().or_else(|| cause.causation_id.clone());
            write_trace(head, &cause);
        }
        append
    }

    /// Has the event under the contract that `R` has of it.
    fn lift<R: EventSet>(&self, recorded: &mut Recorded, values: Values) -> Result<(), StoreError> {
        self.lift_to(recorded, values, R::contracts)
    }

    /// Has the event under one of these contracts, if there is a way to it.
    pub(crate) fn lift_to(
        &self,
        recorded: &mut Recorded,
        values: Values,
        contracts: impl FnOnce() -> Vec<&'static Contract>,
    ) -> Result<(), StoreError> {
        let name = recorded.entry.name();
        if self.upcasts.hands(name).is_none() {
            return Ok(());
        }
        let contracts = contracts();
        if contracts.iter().any(|contract| contract.name == name) {
            return Ok(());
        }
        let newer = contracts.into_iter().find_map(|to| Some((self.upcasts.from(name, to)?, to)));
        let Some((from, to)) = newer else { return Ok(()) };
        let payload = &recorded.entry.message.content;
        let lifted = self.upcasts.lift(name, payload, values, to).map_err(|error| unreadable(recorded, error))?;
        recorded.entry = recorded.entry.lifted(from, to, lifted);
        Ok(())
    }
}

fn typed<R: EventSet>(recorded: Recorded, values: Values) -> Result<Stored<R>, StoreError> {
    let decode = match values {
        Values::Whole | Values::Opened => R::decode,
        Values::Erased => R::decode_erased,
    };
    let decoded = decode(recorded.entry.name(), &recorded.entry.message.content);
    let event = decoded.map_err(|error| unreadable(&recorded, error))?;
    let Recorded { position, stream, version, entry } = recorded;
    Ok(Stored { position, stream, version, head: entry.message.head, event, values })
}

/// Adds the trace that this task is in, else that of the cause, unless the event tells one of its own.
fn write_trace(head: &mut Head, cause: &Head) {
    if TRACE.iter().any(|name| head.attributes.get(name).is_some()) {
        return;
    }
    let here = spans::context(&Span::current()).map(|context| [Some(context.parent), context.state]);
    let told = || TRACE.map(|name| cause.attributes.text(name).map(str::to_owned));
    for (name, text) in TRACE.into_iter().zip(here.unwrap_or_else(told)) {
        if let Some(text) = text {
            head.attributes.set(name, text);
        }
    }
}

fn unreadable(recorded: &Recorded, error: DecodeError) -> StoreError {
    StoreError::new(StoreErrorKind::Unreadable, place(recorded)).caused_by(error)
}

/// Which event cannot be read.
pub(super) fn place(Recorded { position, stream, version, entry }: &Recorded) -> String {
    let name = entry.name();
    format!("event `{name}`, version {version} of stream `{stream}` at position {position}, cannot be read")
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("store", &self.store.name())
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
