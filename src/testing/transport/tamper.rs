//! A hand between a transport and whoever uses it: for faults, and for transports that break a promise.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Fault, Injected, Nest, Pace, Subject};
use crate::{
    codec::Hands,
    envelope::Envelope,
    health::Status,
    transport::{
        Backlog, Capabilities, DeadLetter, Deliveries, Delivery, Lease, Outgoing, Provision, Prune, PublishError,
        QueuePlan, Remnant, SettleError, Settlement, Sorter, Topology, Transport, TransportError,
    },
};

/// What is done differently; whatever is not named passes through.
#[async_trait]
pub trait Tamper: Send + Sync + 'static {
    /// Declares other abilities.
    fn capabilities(&self, declared: Capabilities) -> Capabilities {
        declared
    }

    /// Makes topics and queues.
    ///
    /// # Errors
    /// As [`Transport::provision`].
    async fn provision(&self, topology: &Topology, mode: Provision, on: &dyn Transport) -> Result<(), TransportError> {
        on.provision(topology, mode).await
    }

    /// Tells what is missing, or differs.
    ///
    /// # Errors
    /// As [`Transport::differences`].
    async fn differences(
        &self,
        topology: &Topology,
        mode: Provision,
        on: &dyn Transport,
    ) -> Result<Vec<TransportError>, TransportError> {
        on.differences(topology, mode).await
    }

    /// Publishes.
    ///
    /// # Errors
    /// As [`Transport::publish`].
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        on.publish(outgoing).await
    }

    /// Starts to take deliveries.
    ///
    /// # Errors
    /// As [`Transport::consume`].
    async fn consume(&self, queue: &QueuePlan, on: &dyn Transport) -> Result<Box<dyn Deliveries>, TransportError> {
        on.consume(queue).await
    }

    /// Follows what flows into a queue.
    ///
    /// # Errors
    /// As [`Transport::tail`].
    async fn tail(&self, plan: &QueuePlan, on: &dyn Transport) -> Result<Box<dyn Deliveries>, TransportError> {
        on.tail(plan).await
    }

    /// Hands out the next deliveries.
    ///
    /// # Errors
    /// As [`Deliveries::next`].
    async fn next(&self, from: &mut dyn Deliveries, room: usize) -> Result<Vec<Delivery>, TransportError> {
        from.next(room).await
    }

    /// Settles a delivery.
    ///
    /// # Errors
    /// As [`Delivery::settle`].
    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        delivery.settle(settlement).await
    }

    /// Reads dead letters.
    ///
    /// # Errors
    /// As [`Transport::dead_letters`].
    async fn dead_letters(
        &self,
        queue: &str,
        limit: usize,
        on: &dyn Transport,
    ) -> Result<Vec<DeadLetter>, TransportError> {
        on.dead_letters(queue, limit).await
    }

    /// Puts dead letters back, or deletes them.
    ///
    /// # Errors
    /// As [`Transport::sort_dead_letters`].
    async fn sort_dead_letters(
        &self,
        queue: &str,
        sorter: &mut dyn Sorter,
        on: &dyn Transport,
    ) -> Result<(), TransportError> {
        on.sort_dead_letters(queue, sorter).await
    }

    /// Looks for what earlier plans left, or deletes it.
    ///
    /// # Errors
    /// As [`Transport::prune`].
    async fn prune(
        &self,
        former: &[QueuePlan],
        (today, mode): (&Topology, Prune),
        on: &dyn Transport,
    ) -> Result<Vec<Remnant>, TransportError> {
        on.prune(former, today, mode).await
    }

    /// Tells how much waits in a queue.
    async fn backlog(&self, queue: &QueuePlan, on: &dyn Transport) -> Backlog {
        on.backlog(queue).await
    }

    /// Closes the connection.
    async fn close(&self, on: &dyn Transport) {
        on.close().await;
    }

    /// Says how it is.
    fn status(&self, on: &dyn Transport) -> Status {
        on.status()
    }
}

/// A subject whose every connection is tampered with.
pub struct Tampered<S> {
    subject: S,
    by: Arc<dyn Tamper>,
}

impl<S: Subject> Tampered<S> {
    /// This subject with this hand in between.
    pub fn new(subject: S, by: impl Tamper) -> Self {
        Self { subject, by: Arc::new(by) }
    }
}

#[async_trait]
impl<S: Subject> Subject for Tampered<S> {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(tampered(self.subject.connect().await?, self.by.clone()))
    }

    fn pace(&self) -> Pace {
        self.subject.pace()
    }

    fn many(&self) -> usize {
        self.subject.many()
    }

    async fn inject(&self, fault: Fault) -> Injected {
        self.subject.inject(fault).await
    }

    async fn lift(&self, fault: Fault) {
        self.subject.lift(fault).await;
    }

    async fn address(&self) -> Option<String> {
        self.subject.address().await
    }

    async fn connect_to(&self, address: &str) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(tampered(self.subject.connect_to(address).await?, self.by.clone()))
    }

    async fn put_nested(&self, queue: &str, message: &Outgoing, nest: Nest) -> Injected {
        self.subject.put_nested(queue, message, nest).await
    }
}

/// This connection with this hand in between.
pub fn tampered(transport: Arc<dyn Transport>, by: Arc<dyn Tamper>) -> Arc<dyn Transport> {
    Arc::new(Between { transport, by })
}

/// This transport with this hand in between, for a service.
pub fn tampering(transport: impl Transport, by: Arc<dyn Tamper>) -> impl Transport {
    Between { transport: Arc::new(transport), by }
}

/// The transport that is used in place of the other.
struct Between {
    transport: Arc<dyn Transport>,
    by: Arc<dyn Tamper>,
}

#[async_trait]
impl Transport for Between {
    fn name(&self) -> &'static str {
        self.transport.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.by.capabilities(self.transport.capabilities())
    }

    fn envelope(&self) -> Option<Arc<dyn Envelope>> {
        self.transport.envelope()
    }

    fn knows(&self, queue: &str, hands: Vec<Hands>) {
        self.transport.knows(queue, hands);
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        self.by.provision(topology, mode, &*self.transport).await
    }

    async fn differences(&self, topology: &Topology, mode: Provision) -> Result<Vec<TransportError>, TransportError> {
        self.by.differences(topology, mode, &*self.transport).await
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        self.by.publish(outgoing, &*self.transport).await
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        let deliveries = self.by.consume(queue, &*self.transport).await?;
        Ok(Box::new(Handed { deliveries, by: self.by.clone() }))
    }

    async fn tail(&self, plan: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        let deliveries = self.by.tail(plan, &*self.transport).await?;
        Ok(Box::new(Handed { deliveries, by: self.by.clone() }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.by.dead_letters(queue, limit, &*self.transport).await
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        self.by.sort_dead_letters(queue, sorter, &*self.transport).await
    }

    fn exports(&self, topology: &Topology, published: &[String]) -> Result<BTreeMap<String, String>, TransportError> {
        self.transport.exports(topology, published)
    }

    async fn prune(&self, former: &[QueuePlan], today: &Topology, mode: Prune) -> Result<Vec<Remnant>, TransportError> {
        self.by.prune(former, (today, mode), &*self.transport).await
    }

    async fn backlog(&self, queue: &QueuePlan) -> Backlog {
        self.by.backlog(queue, &*self.transport).await
    }

    async fn close(&self) {
        self.by.close(&*self.transport).await;
    }

    fn status(&self) -> Status {
        self.by.status(&*self.transport)
    }
}

struct Handed {
    deliveries: Box<dyn Deliveries>,
    by: Arc<dyn Tamper>,
}

#[async_trait]
impl Deliveries for Handed {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let next = self.by.next(&mut *self.deliveries, room).await?;
        Ok(next.into_iter().map(|inner| relet(inner, |inner| Held { inner, by: self.by.clone() })).collect())
    }
}

/// The same delivery, held by another lease.
pub(super) fn relet<L: Lease + 'static>(inner: Delivery, lease: impl FnOnce(Delivery) -> L) -> Delivery {
    let (sealed, attempt) = (inner.sealed.clone(), inner.attempt);
    let (redelivered, id, first_delivered) = (inner.redelivered, inner.id.clone(), inner.first_delivered);
    let mut outer = Delivery::new(sealed, attempt, lease(inner));
    (outer.redelivered, outer.id, outer.first_delivered) = (redelivered, id, first_delivered);
    outer
}

/// The lease on a delivery that is settled through the hand.
struct Held {
    inner: Delivery,
    by: Arc<dyn Tamper>,
}

#[async_trait]
impl Lease for Held {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        self.by.settle(self.inner, settlement).await
    }

    fn lost(&self) -> Option<&CancellationToken> {
        self.inner.loss()
    }
}
