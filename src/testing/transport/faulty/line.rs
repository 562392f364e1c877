//! One connection as its user sees it: it connects anew whenever it must.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Broker, away, closed,
    wire::{Read, Use, Wire},
};
use crate::{
    codec::Hands,
    envelope::Envelope,
    error::told,
    health::Status,
    testing::transport::{Fault, trial::held},
    transport::{
        Backlog, Capabilities, DeadLetter, Deliveries, Outgoing, Provision, Prune, PublishError, PublishErrorKind,
        QueuePlan, Reach, Remnant, Sorter, Topology, Transport, TransportError, TransportErrorKind,
    },
};

/// How long a publish takes at most (P3).
const DEADLINE: Duration = Duration::from_secs(10);
/// How many publishes may be without an answer (P8).
const UNANSWERED: usize = 1_000;
/// How many kibibytes they may have in all (P8).
const KIBIBYTES: usize = 32 * 1024;

/// One connection as its user sees it.
pub(super) struct Line {
    broker: Arc<Broker>,
    name: &'static str,
    capabilities: Capabilities,
    envelope: Option<Arc<dyn Envelope>>,
    /// Where another process says that the broker is.
    address: Option<String>,
    /// What the handlers of each queue know, for every wire.
    known: Mutex<BTreeMap<String, Vec<Hands>>>,
    asks: Mutex<Arc<Wire>>,
    reads: Mutex<Vec<Weak<Wire>>>,
    /// Room for publishes without an answer, and for their kibibytes.
    room: [Semaphore; 2],
    closed: CancellationToken,
}

impl Line {
    /// To the broker, or to that of another process.
    pub(super) async fn open(broker: Arc<Broker>, address: Option<&str>) -> Result<Self, TransportError> {
        let wire = Wire::open(&broker, address, Use::Ask).await?;
        let transport = &wire.transport;
        Ok(Self {
            broker,
            name: transport.name(),
            capabilities: transport.capabilities(),
            envelope: transport.envelope(),
            address: address.map(str::to_owned),
            known: Mutex::default(),
            asks: Mutex::new(wire.clone()),
            reads: Mutex::default(),
            room: [UNANSWERED, KIBIBYTES].map(Semaphore::new),
            closed: CancellationToken::new(),
        })
    }

    /// Every wire of it.
    pub(super) fn wires(&self) -> Vec<Arc<Wire>> {
        let reads: Vec<_> = held(&self.reads).iter().filter_map(Weak::upgrade).collect();
        reads.into_iter().chain([held(&self.asks).clone()]).collect()
    }

    /// One more wire, told what is known.
    async fn wire(&self, used_to: Use) -> Result<Arc<Wire>, TransportError> {
        let wire = Wire::open(&self.broker, self.address.as_deref(), used_to).await?;
        for (queue, hands) in &*held(&self.known) {
            wire.transport.knows(queue, hands.clone());
        }
        Ok(wire)
    }

    /// The wire to ask on, a new one if the last was cut.
    async fn asks(&self) -> Result<Arc<Wire>, TransportError> {
        self.is_open()?;
        self.broker.takes()?;
        let last = held(&self.asks).clone();
        if !last.is_cut() {
            return Ok(last);
        }
        let wire = self.wire(Use::Ask).await?;
        *held(&self.asks) = wire.clone();
        Ok(wire)
    }

    /// Room for one more publish, once the broker takes any.
    async fn room(&self, outgoing: &Outgoing) -> [SemaphorePermit<'_>; 2] {
        let kibibytes = outgoing.sealed.body.len().div_ceil(1024).min(KIBIBYTES);
        let [publishes, bytes] = &self.room;
        let bytes = bytes.acquire_many(u32::try_from(kibibytes).unwrap_or(u32::MAX)).await;
        let room = [publishes.acquire().await, bytes].map(|room| room.expect("it is never closed"));
        self.broker.without(Fault::Blocked).await;
        room
    }

    async fn send(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        let wire = self.asks().await.map_err(refused)?;
        wire.ask(wire.transport.publish(outgoing)).await.ok_or_else(unanswered)?
    }

    fn is_open(&self) -> Result<(), TransportError> {
        match self.closed.is_cancelled() {
            true => Err(closed()),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Transport for Line {
    fn name(&self) -> &'static str {
        self.name
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn envelope(&self) -> Option<Arc<dyn Envelope>> {
        self.envelope.clone()
    }

    fn knows(&self, queue: &str, hands: Vec<Hands>) {
        held(&self.known).insert(queue.to_owned(), hands.clone());
        held(&self.asks).transport.knows(queue, hands);
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        let wire = self.asks().await?;
        wire.ask(wire.transport.provision(topology, mode)).await.ok_or_else(away)?
    }

    async fn differences(&self, topology: &Topology, mode: Provision) -> Result<Vec<TransportError>, TransportError> {
        let wire = self.asks().await?;
        wire.ask(wire.transport.differences(topology, mode)).await.ok_or_else(away)?
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        let deadline = Instant::now() + DEADLINE;
        // Room that others leave at their deadline comes too late.
        let room = timeout_at(deadline, self.room(&outgoing)).await.ok().filter(|_| Instant::now() < deadline);
        let Some(_room) = room else {
            return Err(PublishError::new(PublishErrorKind::Backpressure, "there was no room up to the deadline"));
        };
        timeout_at(deadline, self.send(outgoing)).await.map_err(|_| unanswered())?
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        self.is_open()?;
        // The queue of an instance is the connection's that made it.
        let wire = match queue.reach {
            Reach::Shared => self.wire(Use::Read).await?,
            Reach::PerInstance => self.asks().await?,
        };
        held(&self.reads).push(Arc::downgrade(&wire));
        let deliveries = wire.ask(wire.transport.consume(queue)).await.ok_or_else(away)??;
        Ok(Box::new(Read { deliveries, wire, closed: self.closed.clone() }))
    }

    async fn tail(&self, plan: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        // What it reads from is the connection's own, as the queue of an instance is.
        let wire = self.asks().await?;
        let deliveries = wire.ask(wire.transport.tail(plan)).await.ok_or_else(away)??;
        Ok(Box::new(Read { deliveries, wire, closed: self.closed.clone() }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        let wire = self.asks().await?;
        wire.ask(wire.transport.dead_letters(queue, limit)).await.ok_or_else(away)?
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        let wire = self.asks().await?;
        wire.ask(wire.transport.sort_dead_letters(queue, sorter)).await.ok_or_else(away)?
    }

    fn exports(&self, topology: &Topology, published: &[String]) -> Result<BTreeMap<String, String>, TransportError> {
        held(&self.asks).transport.exports(topology, published)
    }

    async fn prune(&self, former: &[QueuePlan], today: &Topology, mode: Prune) -> Result<Vec<Remnant>, TransportError> {
        let wire = self.asks().await?;
        wire.ask(wire.transport.prune(former, today, mode)).await.ok_or_else(away)?
    }

    async fn backlog(&self, queue: &QueuePlan) -> Backlog {
        // Nobody connects for it.
        let wire = held(&self.asks).clone();
        if self.is_open().and(self.broker.takes()).is_err() || wire.is_cut() {
            return Backlog::default();
        }
        wire.ask(wire.transport.backlog(queue)).await.unwrap_or_default()
    }

    async fn close(&self) {
        self.closed.cancel();
        self.broker.without(Fault::Frozen).await;
        for wire in self.wires() {
            wire.cut().await;
        }
    }

    fn status(&self) -> Status {
        match self.closed.is_cancelled() {
            true => Status::down(told(&closed())),
            false => self.broker.takes().map_or_else(|away| Status::down(told(&away)), |()| Status::up()),
        }
    }
}

fn unanswered() -> PublishError {
    PublishError::new(PublishErrorKind::Unknown, "no answer came")
}

fn refused(error: TransportError) -> PublishError {
    let kind = match error.kind() {
        TransportErrorKind::Closed => PublishErrorKind::Closed,
        _ => PublishErrorKind::Refused,
    };
    PublishError::new(kind, "the message was not sent").caused_by(error)
}
