//! A broker inside the process, with the semantics of the real ones.
//!
//! `state` and what it is made of are pure; `broker` puts a lock and bells around them; this file and
//! `deliveries` wait. Nothing else in the library reaches in here but through [`Memory`].

mod broker;
mod builder;
mod connection;
mod dead;
mod deliveries;
mod entry;
#[cfg(feature = "testing")]
mod faults;
mod instances;
mod lanes;
mod provision;
mod publish;
mod queue;
mod registry;
mod routes;
mod sorting;
mod state;
#[cfg(test)]
mod walk;

pub use builder::Builder;
pub use queue::Depth;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use self::{broker::Broker, connection::Connection, deliveries::QueueDeliveries, routes::QueueId};
use crate::{
    error::told,
    health::Status,
    transport::{
        Backlog, Capabilities, DeadLetter, Deliveries, Outgoing, Provision, PublishError, QueuePlan, Reach, Sorter,
        Topology, Transport, TransportError, TransportErrorKind, in_one,
    },
};

/// The largest message, attributes counted, in bytes.
const MESSAGE_LIMIT: usize = 1024 * 1024;
/// The most attributes.
const ATTRIBUTE_LIMIT: usize = 64;
/// The longest a message can wait before its first delivery.
const LONGEST_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A broker inside the process: competing consumers, fan-out, filters, redelivery, dead letters, order per key.
///
/// **Its messages die with the process.** What must survive a crash belongs into an outbox or on a real broker.
///
/// A clone is another connection to the same broker: closing one leaves the others open, and what the closed
/// one had been handed goes to them. Queues live as long as any connection.
///
/// # Examples
/// ```
/// use tegami::transport::{Memory, Transport};
///
/// let memory = Memory::builder().capacity(1_000).build();
/// assert_eq!(memory.name(), "memory");
/// assert!(!memory.capabilities().durable);
/// ```
pub struct Memory {
    broker: Arc<Broker>,
    connection: Arc<Connection>,
}

impl Memory {
    /// A new broker with default settings.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Settings for a new broker.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The broker of this name in this process, with default settings; it lives while someone holds it.
    ///
    /// This is what the URLs `memory:` (the empty name) and `memory:orders` mean.
    pub fn named(name: &str) -> Self {
        Self::connected_to(registry::named(name, || Self::builder().broker()))
    }

    fn connected_to(broker: Arc<Broker>) -> Self {
        Self { connection: Connection::to(broker.clone()), broker }
    }

    /// How much is in a queue; `None` when there is no such queue.
    pub fn depth(&self, queue: &str) -> Option<Depth> {
        let held = self.broker.lock();
        held.state.names.get(queue).map(|queue| held.state.depth(*queue))
    }

    /// The dead letters of every queue, by queue name, oldest first.
    pub fn all_dead_letters(&self) -> Vec<DeadLetter> {
        let held = self.broker.lock();
        let queues: BTreeMap<_, _> = held.state.names.iter().collect();
        queues.into_values().flat_map(|queue| held.state.dead_letters(*queue, usize::MAX)).collect()
    }

    /// The newest accepted publishes, oldest first, as many as [`Builder::record`] says.
    pub fn published(&self) -> Vec<Outgoing> {
        self.broker.log()
    }

    /// How many publishes found no queue bound and were allowed to go nowhere (P4).
    pub fn unroutable(&self) -> u64 {
        self.broker.lock().state.unroutable()
    }

    /// Waits until every message is settled: none ready, none delayed, none in flight. It never ends while there is
    /// one in a queue that nobody reads.
    ///
    /// # Cancel safety
    /// Nothing is lost when this future is dropped.
    pub async fn quiet(&self) {
        loop {
            let quiet = self.broker.quiet.notified();
            if self.broker.lock().state.is_quiet() {
                return;
            }
            quiet.await;
        }
    }

    /// Is every message settled that is in a queue somebody reads?
    pub fn is_quiet_where_read(&self) -> bool {
        self.broker.lock().is_quiet_where_read()
    }

    fn queue(&self, name: &str) -> Result<QueueId, TransportError> {
        self.open()?;
        let known = self.broker.lock().state.names.get(name).copied();
        // A task at the command line is another process than the service: its memory is empty.
        let text = || format!("queue `{name}` is not there: `memory:` is each process's own");
        known.ok_or_else(|| TransportError::new(TransportErrorKind::Missing, text()))
    }

    fn open(&self) -> Result<(), TransportError> {
        match self.connection.closed.is_cancelled() {
            true => Err(TransportError::new(TransportErrorKind::Closed, "the memory transport was closed")),
            false => Ok(()),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Self::connected_to(self.broker.clone())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("connection", &self.connection.number).finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none()
            .reports_unroutable()
            .ordered()
            .delay(LONGEST_DELAY)
            .message_limit(MESSAGE_LIMIT)
            .attribute_limit(ATTRIBUTE_LIMIT)
            .exact_attempts()
            .per_instance()
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        in_one(self.differences(topology, mode).await?)
    }

    async fn differences(&self, topology: &Topology, mode: Provision) -> Result<Vec<TransportError>, TransportError> {
        self.open()?;
        provision::provision(&mut self.broker.lock().state, topology, mode, self.connection.number)
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        let deadline = self.broker.publish_deadline();
        self.publish_until(outgoing, deadline).await
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        let planned = self.queue(&queue.name)?;
        let mut held = self.broker.lock();
        let queue = match queue.reach {
            Reach::Shared => planned,
            Reach::PerInstance => held.state.own_queue(queue, planned, self.connection.number),
        };
        held.begin_reading(queue);
        Ok(Box::new(QueueDeliveries { connection: self.connection.clone(), queue, bell: held.bell(queue) }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        let queue = self.queue(queue)?;
        Ok(self.broker.lock().state.dead_letters(queue, limit))
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        sorting::sort(self, queue, sorter).await
    }

    async fn close(&self) {
        self.connection.close();
    }

    async fn backlog(&self, queue: &QueuePlan) -> Backlog {
        let count = |count: usize| u64::try_from(count).ok();
        let depth = self.depth(&queue.name);
        depth.map_or_else(Backlog::default, |depth| Backlog::new(count(depth.ready), count(depth.dead)))
    }

    fn status(&self) -> Status {
        self.open().map_or_else(|error| Status::down(told(&error)), |()| Status::up())
    }
}
