//! RabbitMQ, by AMQP 0-9-1.
//!
//! `link` keeps a connection, `outlet` publishes, `intake` consumes; `station` says what a queue and those around it
//! are like, `topology` makes them. Bytes from the broker pass `guard` before the client's parser sees them. Nothing
//! outside this folder speaks of exchanges and bindings.

mod acks;
mod address;
mod arrivals;
mod copies;
mod dead;
mod definitions;
mod dial;
#[cfg(feature = "testing")]
pub(crate) mod doors;
mod fault;
mod guard;
mod hold;
mod intake;
mod link;
mod names;
mod outlet;
mod parcel;
mod properties;
mod prune;
mod runtime;
mod setup;
mod shelf;
mod station;
mod tls;
mod tomodachi;
mod topology;
mod wire;

pub use tomodachi::tomodachi_queue;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use lapin::{
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    acks::Acks,
    address::Compat,
    arrivals::Arrivals,
    fault::answer,
    intake::{Intake, QueueDeliveries},
    link::Link,
    outlet::{Letter, Outlet},
    properties::short,
    setup::Setup,
    shelf::Shelf,
    station::{Lifetime, Station},
    wire::{Lent, Wire},
};
use crate::{
    error::told,
    health::Status,
    transport::{
        Backlog, Capabilities, DeadLetter, Deliveries, Outgoing, Provision, Prune, PublishError, PublishErrorKind,
        QueuePlan, Remnant, Sorter, Topology, Transport, TransportError, in_one,
    },
};

/// The time for a publish: less than the publisher's own deadline, so that it is we who say how it ended (P3).
const PUBLISH_TIME: Duration = Duration::from_millis(9_500);
/// The largest message, attributes counted, in bytes.
const MESSAGE_LIMIT: usize = 1024 * 1024;
/// The most attributes.
const ATTRIBUTE_LIMIT: usize = 64;
/// RabbitMQ takes back what nobody acked within 30 minutes; a handler gets less (L3).
const HANDLING_LIMIT: Duration = Duration::from_secs(25 * 60);
/// Those 30 minutes are what all retries of a delivery have together that waits for them in its place.
const WAITING_LIMIT: Duration = Duration::from_secs(30 * 60);
/// How long running work has when the transport is closed.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// RabbitMQ.
///
/// What is published is on disk when `publish` says so; what is not settled comes again, also when this process or
/// the broker dies. The broker's restarts are survived without help.
///
/// # Examples
/// ```
/// use tegami::transport::{Transport, amqp::Amqp};
///
/// let rabbitmq = Amqp::new("amqp://guest:guest@127.0.0.1/");
/// assert!(rabbitmq.capabilities().durable);
/// assert!(!format!("{rabbitmq:?}").contains("guest:guest"), "a password is never shown");
/// ```
pub struct Amqp {
    setup: Arc<Setup>,
    consuming: Arc<Link>,
    outlet: Arc<Outlet>,
    closed: CancellationToken,
    queues: Mutex<Queues>,
}

/// What is known of the queues that are read.
#[derive(Default)]
struct Queues {
    mode: Option<Provision>,
    shelves: HashMap<String, Arc<Shelf>>,
}

/// Was a queue read before?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    First,
    Before,
}

/// The broker at this URL; what is wrong with the URL is told at once.
pub(crate) fn at(url: &str) -> Result<Amqp, TransportError> {
    let amqp = Amqp::new(url);
    amqp.setup.broker()?;
    Ok(amqp)
}

impl Amqp {
    /// The broker at this URL. Nothing is done until a service starts; a URL that is wrong is told then.
    ///
    /// `amqp://user:password@host:port/virtual-host?name=value`, or `amqps://` for TLS. See
    /// [`docs::amqp`](crate::docs::amqp) for the parameters.
    pub fn new(url: impl AsRef<str>) -> Self {
        let (setup, closed) = (Arc::new(Setup::new(url.as_ref())), CancellationToken::new());
        let publishing = Link::new(setup.clone(), "publish", closed.clone());
        let consuming = Arc::new(Link::new(setup.clone(), "consume", closed.clone()));
        let outlet = Arc::new(Outlet::new(setup.clone(), publishing));
        Self { setup, consuming, outlet, closed, queues: Mutex::default() }
    }

    fn station(&self, plan: &QueuePlan, on: &Wire) -> Result<Station, TransportError> {
        Ok(Station::new(plan, self.setup.address()?.parameters(), &on.id))
    }

    fn stations(&self, plans: &[QueuePlan], on: &Wire) -> Result<Vec<Station>, TransportError> {
        plans.iter().map(|plan| self.station(plan, on)).collect()
    }

    /// The queue's shelf; and whether it was read before, for it may have gone meanwhile.
    fn shelf(&self, queue: &str) -> (Arc<Shelf>, Seen) {
        let mut queues = self.queues();
        let seen = if queues.shelves.contains_key(queue) { Seen::Before } else { Seen::First };
        (queues.shelves.entry(queue.to_owned()).or_default().clone(), seen)
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects again, though nobody asks for it. Those who look at once share what comes of it.
    fn look_for_the_broker(&self) {
        let (consuming, outlet) = (self.consuming.clone(), self.outlet.clone());
        self.setup.lifecycle.spawn(async move {
            // What fails is told by the next status.
            let _ = tokio::join!(consuming.wire(), outlet.open());
        });
    }

    /// Are queues ours to declare?
    fn declares(&self) -> bool {
        self.queues().mode == Some(Provision::Create)
    }
}

impl fmt::Debug for Amqp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.setup.address().map(ToString::to_string).unwrap_or_default();
        f.debug_struct("Amqp").field("address", &address).finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Amqp {
    fn name(&self) -> &'static str {
        "amqp"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none()
            .durable()
            .reports_unroutable()
            .ordered()
            .message_limit(MESSAGE_LIMIT)
            .attribute_limit(ATTRIBUTE_LIMIT)
            .exact_attempts()
            .handling_limit(HANDLING_LIMIT)
            .waiting_limit(WAITING_LIMIT)
            .per_instance()
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        in_one(self.differences(topology, mode).await?)
    }

    async fn differences(&self, topology: &Topology, mode: Provision) -> Result<Vec<TransportError>, TransportError> {
        let parameters = self.setup.address()?.parameters();
        self.queues().mode = Some(mode);
        let wire = self.consuming.wire().await?;
        let stations = self.stations(&topology.queues, &wire)?;
        if parameters.compat == Compat::Tomodachi {
            tracing::warn!("queues are deleted with their messages a day after their last reader, as tomodachi has it");
        }
        let differences = topology::provision(&wire, parameters, &stations, mode).await?;
        // What would keep us from publishing is told at the start, too.
        self.outlet.open().await.map(|()| differences)
    }

    async fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
        self.capabilities().check(&message)?;
        let exchange = match self.setup.address() {
            Ok(address) => address.parameters().exchange.clone(),
            Err(error) => {
                let text = "the transport's settings are wrong";
                return Err(PublishError::new(PublishErrorKind::Refused, text).caused_by(error));
            }
        };
        let properties = properties::of(&message)?;
        let Outgoing { routing_key, queue, allow_unroutable, sealed, .. } = message;
        let letter = match queue {
            Some(queue) => Letter { allow_unroutable, ..Letter::into_queue(queue, sealed.body, properties) },
            None => {
                let routing_key = routing_key.into_owned();
                Letter { exchange, routing_key, allow_unroutable, body: sealed.body, properties }
            }
        };
        self.outlet.publish(letter, PUBLISH_TIME).await
    }

    async fn consume(&self, plan: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        let wire = self.consuming.wire().await?;
        let station = self.station(plan, &wire)?;
        let channel = Lent::of(wire.channel().await?);
        let ((shelf, seen), declares) = (self.shelf(&plan.name), self.declares());
        if declares && seen == Seen::Before {
            topology::declare(&channel, &station, Lifetime::Durable).await?;
        }
        topology::declare(&channel, &station, Lifetime::Connection).await?;
        answer("fetch ahead", channel.basic_qos(station.prefetch(), BasicQosOptions::default())).await?;
        // Before the first delivery can come.
        let (reader, lost) = (shelf.read(), wire.end_of(&channel));
        let (queue, options) = (short(&station.name), BasicConsumeOptions::default());
        let asked = channel.basic_consume(queue, "".into(), options, FieldTable::default());
        let consumer = answer(format!("consume from queue `{}`", station.name), asked).await?;
        let arrivals = Arrivals::new(consumer, &station.name, lost.clone());
        let intake = Arc::new(Intake {
            station,
            acks: Acks::new(channel.keep(), lost.clone(), self.setup.clock),
            shelf,
            outlet: self.outlet.clone(),
            setup: self.setup.clone(),
            reader,
            lost,
            parcels: TaskTracker::new(),
            mending: declares.then(tokio::sync::Mutex::default),
            wire,
        });
        Ok(Box::new(QueueDeliveries { intake, arrivals, closed: self.closed.clone() }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        dead::look(&*self.consuming.wire().await?, queue, limit).await
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        dead::sort(&*self.consuming.wire().await?, &self.outlet, queue, sorter).await
    }

    async fn prune(&self, former: &[QueuePlan], today: &Topology, mode: Prune) -> Result<Vec<Remnant>, TransportError> {
        let wire = self.consuming.wire().await?;
        let (former, today) = (self.stations(former, &wire)?, self.stations(&today.queues, &wire)?);
        prune::prune(&wire, &former, &today, mode).await
    }

    fn exports(&self, topology: &Topology, _: &[String]) -> Result<BTreeMap<String, String>, TransportError> {
        Ok(definitions::exports(self.setup.address()?, topology))
    }

    async fn close(&self) {
        // Whoever closes may not wait for the end.
        let _leaving = self.setup.leaving();
        self.closed.cancel();
        self.setup.lifecycle.drain();
        self.setup.lifecycle.finished_within(CLOSE_TIME).await;
        let _ = tokio::time::timeout(CLOSE_TIME, self.outlet.quiet()).await;
        tokio::join!(self.consuming.close(), self.outlet.close());
    }

    async fn backlog(&self, queue: &QueuePlan) -> Backlog {
        let Some(wire) = self.consuming.open() else { return Backlog::default() };
        let Ok(station) = self.station(queue, &wire) else { return Backlog::default() };
        Backlog::new(dead::waiting(&wire, &station.name).await, dead::waiting(&wire, &queue.dead_letters).await)
    }

    fn status(&self) -> Status {
        let missing = self.consuming.missing().or_else(|| self.outlet.missing());
        match missing {
            Some(error) => {
                self.look_for_the_broker();
                Status::down(told(&error))
            }
            None if self.outlet.is_blocked() => Status::degraded(outlet::BLOCKED),
            None => Status::up(),
        }
    }
}
