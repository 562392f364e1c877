//! Recorded events that are published: a subscription of the bus to a store, with a checkpoint.

use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Checkpoints, Id, Progress, Projection};
use crate::{
    contract::Contract,
    error::BoxError,
    event::Event,
    publisher::Publisher,
    store::{Criterion, Query, Recorded, Store},
};

/// How many keys are published at once.
const LANES: usize = 64;

/// Which recorded events are published. What a service is given runs as a [`Projection`] does, and publishes instead of
/// handling.
///
/// An event is published at least once, with its own id, time and cause, and after the earlier ones of its key. One that is
/// refused is not passed by: what comes after it waits.
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

/// What became of events that were to be published.
pub(super) struct Sent {
    /// All before this place are published.
    pub(super) done: usize,
    /// Why the one that is there is not, or one behind it.
    pub(super) error: Option<BoxError>,
}

/// The way out.
pub(super) struct Way<'a> {
    pub(super) outlets: &'a [Outlet],
    pub(super) publisher: &'a Publisher,
    pub(super) store: &'a Store,
    pub(super) draining: &'a CancellationToken,
}

impl Way<'_> {
    /// Publishes them: keys at once, the events of a key one after the other.
    pub(super) async fn send(&self, events: &[Recorded]) -> Sent {
        let lanes = stream::iter(lanes(events)).map(|lane| self.send_lane(lane, events)).buffer_unordered(LANES);
        let mut left: Vec<(usize, Option<BoxError>)> = lanes.filter_map(async |left| left).collect().await;
        left.sort_by_key(|(index, _)| *index);
        let done = left.first().map_or(events.len(), |(index, _)| *index);
        Sent { done, error: left.into_iter().find_map(|(_, error)| error) }
    }

    /// The first that is not published, and why, unless the service drains.
    async fn send_lane(&self, lane: Vec<usize>, events: &[Recorded]) -> Option<(usize, Option<BoxError>)> {
        for index in lane {
            if self.draining.is_cancelled() {
                return Some((index, None));
            }
            if let Err(error) = self.send_one(&events[index]).await {
                return Some((index, Some(error)));
            }
        }
        None
    }

    async fn send_one(&self, event: &Recorded) -> Result<(), BoxError> {
        let name = event.entry.name();
        let outlet = self.store.way_for(name, self.outlets, |outlet| outlet.contract);
        let outlet = outlet.ok_or_else(|| format!("nothing publishes event `{name}`"))?;
        outlet.send.send(self.publisher, self.store, event.clone()).await
    }
}

/// The places of events by what must go out in order; one without a key has a lane of its own.
fn lanes(events: &[Recorded]) -> Vec<Vec<usize>> {
    let (mut places, mut lanes) = (BTreeMap::new(), Vec::<Vec<usize>>::new());
    for (index, event) in events.iter().enumerate() {
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
