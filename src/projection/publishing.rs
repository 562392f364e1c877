//! Recorded events that are published: a subscription of the bus to a store, with a checkpoint.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Checkpoints, Id, Progress, Projection};
use crate::{
    contract::Contract,
    error::BoxError,
    event::Event,
    publisher::Publisher,
    store::{Criterion, Position, Query, Recorded, Store},
    time::Clock,
    transport::PublishError,
};

/// How many keys are published at once.
const LANES: usize = 64;

/// Which recorded events are published. What a service is given runs as a [`Projection`] does, and publishes instead of
/// handling.
///
/// An event is published at least once, with its own id, time and cause, and after the earlier ones of its key. One that is
/// refused is not passed by: what comes after it waits, but for what was read with it and has other keys.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
/// use tegami::{Service, projection::Publishing, sqlite::Database, store::Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tegami::error::BoxError> {
/// # let path = std::env::temp_dir().join(format!("tegami-publishing-{}.db", std::process::id()));
/// let db = Database::connect(&path).await?;
/// let store = Store::new(db.store());
/// let orders = Publishing::new("orders", 1).event::<OrderPaid>().event::<ReceiptSent>();
/// let service = Service::new("shop").publishing(&db, &store, orders);
/// # drop(service);
/// # db.close().await;
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is published until a service runs it"]
pub struct Publishing {
    id: Id,
    criterion: Criterion,
    outlets: Vec<Outlet>,
    moved: Arc<watch::Sender<u64>>,
}

impl Publishing {
    /// Publishes nothing yet, under this name: 1 to 128 printable ASCII characters. Another version begins with the first
    /// event, and publishes all of them once more.
    pub fn new(name: impl Into<String>, version: u32) -> Self {
        let (outlets, moved) = (Vec::new(), Arc::new(watch::Sender::new(0)));
        Self { id: Id::new(name, version), criterion: Criterion::any(), outlets, moved }
    }

    /// Publishes events of type `E` too; older ones as these, where the store has an upcast.
    pub fn event<E: Event>(mut self) -> Self {
        self.criterion = self.criterion.or::<E>();
        self.outlets.push(Outlet { contract: E::CONTRACT, send: Box::new(Typed::<E>(PhantomData)) });
        self
    }

    /// Tells how far it is, in this process and in others.
    pub fn progress<D: Checkpoints>(&self, database: &D, store: &Store) -> Progress {
        let query = store.widened(&Query::from(self.criterion.clone()));
        Progress::new(self.id.clone(), query, store, database, &self.moved)
    }

    /// The projection that it runs as.
    pub(crate) fn projection<T: Send + 'static>(self) -> Projection<T> {
        let Self { id, criterion, outlets, moved } = self;
        Projection { id, criterion, routes: Vec::new(), outlets, moved }
    }
}

/// The way out for one type of event.
pub(super) struct Outlet {
    pub(super) contract: &'static Contract,
    send: Box<dyn Sends>,
}

#[async_trait]
trait Sends: Send + Sync {
    async fn send(&self, publisher: &Publisher, store: &Store, recorded: Recorded) -> Result<(), BoxError>;
}

struct Typed<E>(PhantomData<fn(E)>);

#[async_trait]
impl<E: Event> Sends for Typed<E> {
    async fn send(&self, publisher: &Publisher, store: &Store, recorded: Recorded) -> Result<(), BoxError> {
        let stored = store.stored::<E>(recorded).await?;
        if stored.is_erased() {
            let (position, event) = (stored.position, E::CONTRACT.name);
            tracing::warn!(%position, event, "not published: its subject was forgotten");
            return Ok(());
        }
        Ok(publisher.publish_recorded(&stored.event, &stored.head).await.map(drop)?)
    }
}

/// What is published already of the events behind a checkpoint.
#[derive(Default)]
pub(super) struct Ahead {
    checkpoint: Position,
    sent: BTreeSet<Position>,
}

impl Ahead {
    /// Nothing is, as far as is known.
    pub(super) fn behind(checkpoint: Position) -> Self {
        Self { checkpoint, sent: BTreeSet::new() }
    }

    /// The checkpoint is found here. One that was set back has all behind it published again.
    pub(super) fn found(&mut self, checkpoint: Position) {
        match checkpoint < self.checkpoint {
            true => *self = Self::behind(checkpoint),
            false => self.moved(checkpoint),
        }
    }

    /// The checkpoint was moved.
    pub(super) fn moved(&mut self, checkpoint: Position) {
        self.checkpoint = checkpoint;
        self.sent.retain(|position| *position > checkpoint);
    }
}

/// What became of events that were to be published.
pub(super) struct Sent {
    /// All before this place are published.
    pub(super) done: usize,
    /// The first that could not be published, and why.
    pub(super) error: Option<(usize, BoxError)>,
}

/// When no other event is begun.
pub(super) struct Ends<'a> {
    pub(super) draining: &'a CancellationToken,
    /// For how long a service that drains has those go out that come before another that was begun.
    pub(super) patience: Duration,
    pub(super) clock: &'a Clock,
    /// So that the checkpoint is moved while nobody else may have the projection.
    pub(super) until: Instant,
}

/// The way out for the events of one page.
pub(super) struct Way<'a> {
    outlets: &'a [Outlet],
    publisher: &'a Publisher,
    store: &'a Store,
    ends: Ends<'a>,
    /// When it was first seen that the service drains.
    drained: OnceLock<Instant>,
    /// The broker did not answer.
    away: AtomicBool,
    /// Behind the furthest place that was begun.
    furthest: AtomicUsize,
}

/// Events that go out one after the other: their places, how many of them went, and why the next did not.
struct Lane {
    places: Vec<usize>,
    sent: usize,
    error: Option<BoxError>,
}

impl<'a> Way<'a> {
    /// Out of this store, up to one of these ends.
    pub(super) fn new(outlets: &'a [Outlet], (publisher, store): (&'a Publisher, &'a Store), ends: Ends<'a>) -> Self {
        let (drained, away, furthest) = (OnceLock::new(), AtomicBool::new(false), AtomicUsize::new(0));
        Self { outlets, publisher, store, ends, drained, away, furthest }
    }

    /// Publishes them: keys at once, the events of a key one after the other; those that are ahead already, not again.
    pub(super) async fn send(&self, events: &[Recorded], Ahead { sent: ahead, .. }: &mut Ahead) -> Sent {
        let lanes = lanes(events, ahead).into_iter().map(|places| self.send_lane(places, events));
        let lanes: Vec<Lane> = stream::iter(lanes).buffer_unordered(LANES).collect().await;
        let (mut done, mut error) = (events.len(), None::<(usize, BoxError)>);
        for Lane { places, sent, error: failed } in lanes {
            ahead.extend(places[..sent].iter().map(|place| events[*place].position));
            let Some(left) = places.get(sent) else { continue };
            done = done.min(*left);
            let failed = failed.map(|failed| (*left, failed));
            error = [error, failed].into_iter().flatten().min_by_key(|(place, _)| *place);
        }
        Sent { done, error }
    }

    async fn send_lane(&self, places: Vec<usize>, events: &[Recorded]) -> Lane {
        for (sent, place) in places.iter().enumerate() {
            if self.is_over(*place) {
                return Lane { places, sent, error: None };
            }
            self.furthest.fetch_max(place + 1, Ordering::Relaxed);
            if let Err(error) = self.send_one(&events[*place]).await {
                self.away.fetch_or(is_away(&error), Ordering::Relaxed);
                return Lane { places, sent, error: Some(error) };
            }
        }
        Lane { sent: places.len(), places, error: None }
    }

    /// Is the event of this place not to be begun any more? A service that drains has all before the furthest one go out, too,
    /// while there is time: what is published beyond the checkpoint would be published again.
    fn is_over(&self, place: usize) -> bool {
        let Ends { draining, patience, clock, until } = &self.ends;
        let now = clock.instant();
        let drained = draining.is_cancelled() && {
            let since = *self.drained.get_or_init(|| now);
            place >= self.furthest.load(Ordering::Relaxed) || now >= since + *patience
        };
        drained || self.away.load(Ordering::Relaxed) || *until <= now
    }

    async fn send_one(&self, event: &Recorded) -> Result<(), BoxError> {
        let name = event.entry.name();
        let outlet = self.store.way_for(name, self.outlets, |outlet| outlet.contract);
        let outlet = outlet.ok_or_else(|| format!("nothing publishes event `{name}`"))?;
        outlet.send.send(self.publisher, self.store, event.clone()).await
    }
}

/// Is the broker away? That says nothing about the event.
pub(super) fn is_away(error: &BoxError) -> bool {
    error.downcast_ref::<PublishError>().is_some_and(PublishError::is_away)
}

/// The places of events that are not ahead, by what must go out in order; one without a key has a lane of its own.
fn lanes(events: &[Recorded], ahead: &BTreeSet<Position>) -> Vec<Vec<usize>> {
    let (mut places, mut lanes) = (BTreeMap::new(), Vec::<Vec<usize>>::new());
    let left = events.iter().enumerate().filter(|(_, event)| !ahead.contains(&event.position));
    for (index, event) in left {
        let next = lanes.len();
        let place = event.entry.message.head.key.as_deref().map_or(next, |key| *places.entry(key).or_insert(next));
        match lanes.get_mut(place) {
            Some(lane) => lane.push(index),
            None => lanes.push(vec![index]),
        }
    }
    lanes
}

impl fmt::Debug for Publishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events: Vec<_> = self.criterion.events().collect();
        f.debug_struct("Publishing").field("id", &self.id).field("events", &events).finish_non_exhaustive()
    }
}
