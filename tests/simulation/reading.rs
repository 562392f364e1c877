//! Handlers fed from the store: its queues, which say what they hand out. What goes wrong is the database's.

use std::sync::Arc;

use async_trait::async_trait;
use tegami::{
    codec::Hands,
    envelope::Envelope,
    records::Records,
    transport::{
        Capabilities, DeadLetter, Deliveries, Delivery, Lease, Outgoing, Provision, PublishError, QueuePlan,
        SettleError, SettleErrorKind, Settlement, Sorter, Topology, Transport, TransportError,
    },
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    happened::{Handed, Happened, Tag},
    office::{Counter, Office},
    wire::{COPY, PLACE, TAG},
    world::World,
};

/// Recorded events are letters from this number on, by their positions.
pub const RECORDED: u64 = 1 << 40;

/// One life's connection.
pub struct Reading {
    pub world: Arc<World>,
    pub by: String,
    pub queues: Arc<Vec<String>>,
    pub office: Arc<Office>,
    pub records: Records<Counter>,
}

#[async_trait]
impl Transport for Reading {
    fn name(&self) -> &'static str {
        self.records.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.records.capabilities()
    }

    fn envelope(&self) -> Option<Arc<dyn Envelope>> {
        self.records.envelope()
    }

    fn knows(&self, queue: &str, hands: Vec<Hands>) {
        self.records.knows(queue, hands);
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        self.records.provision(topology, mode).await
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        self.records.publish(outgoing).await
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        let known = self.queues.iter().position(|name| *name == queue.name).expect("the model knows every queue");
        let inner = self.records.consume(queue).await?;
        let (world, office, by) = (self.world.clone(), self.office.clone(), self.by.clone());
        Ok(Box::new(Pages { world, office, by, queue: known, inner }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.records.dead_letters(queue, limit).await
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        self.records.sort_dead_letters(queue, sorter).await
    }

    async fn close(&self) {
        self.records.close().await;
    }
}

/// The consuming end of one queue.
struct Pages {
    world: Arc<World>,
    office: Arc<Office>,
    by: String,
    queue: usize,
    inner: Box<dyn Deliveries>,
}

#[async_trait]
impl Deliveries for Pages {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let found = self.inner.next(room).await?;
        Ok(found.into_iter().map(|inner| self.hand_out(inner)).collect())
    }
}

impl Pages {
    fn hand_out(&self, inner: Delivery) -> Delivery {
        let position = inner.id.as_ref().and_then(|id| self.office.position(id)).expect("it is recorded");
        let number = RECORDED + position;
        let tag = Tag { id: self.world.number(), number, copy: number };
        let (attempt, redelivered, by) = (inner.attempt, inner.redelivered, self.by.clone());
        self.world.note(Happened::Handed(Handed { tag, by, queue: self.queue, attempt, redelivered }));
        let mut sealed = inner.sealed.clone();
        sealed.attributes = sealed.attributes.with(TAG, tag.id).with(COPY, number).with(PLACE, number);
        let (id, first_delivered) = (inner.id.clone(), inner.first_delivered);
        let (orders, taken) = oneshot::channel();
        let lost = CancellationToken::new();
        tokio::spawn(keep(inner, (self.world.clone(), tag), lost.clone(), taken));
        let mut outer =
            Delivery::new(sealed, attempt, Loan { world: self.world.clone(), tag, orders: Some(orders), lost });
        (outer.id, outer.redelivered, outer.first_delivered) = (id, redelivered, first_delivered);
        outer
    }
}

/// What is to be done with a delivery, and who waits for it.
struct Order {
    settlement: Settlement,
    answer: oneshot::Sender<Result<(), SettleError>>,
}

/// Has a delivery until it is settled or let go of, and tells when it is lost.
async fn keep(
    inner: Delivery,
    (world, tag): (Arc<World>, Tag),
    lost: CancellationToken,
    mut orders: oneshot::Receiver<Order>,
) {
    let order = tokio::select! {
        biased;
        order = &mut orders => order,
        () = inner.lost() => {
            world.note(Happened::Lost { tag, told: true });
            lost.cancel();
            orders.await
        }
    };
    let Ok(Order { settlement, mut answer }) = order else { return };
    tokio::select! {
        biased;
        () = answer.closed() => {}
        done = inner.settle(settlement) => drop(answer.send(done)),
    }
}

/// The service's hold on one delivery.
struct Loan {
    world: Arc<World>,
    tag: Tag,
    orders: Option<oneshot::Sender<Order>>,
    lost: CancellationToken,
}

#[async_trait]
impl Lease for Loan {
    async fn settle(mut self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        self.world.note(Happened::Settling { tag: self.tag, settlement: settlement.clone() });
        let (answer, answered) = oneshot::channel();
        let orders = self.orders.take().expect("a delivery is settled once");
        let sent = orders.send(Order { settlement, answer });
        assert!(sent.is_ok(), "somebody has the delivery");
        let gone = || SettleError::new(SettleErrorKind::Lost, "nobody has the delivery any more");
        let done = answered.await.unwrap_or_else(|_| Err(gone()));
        self.world.note(Happened::Settled { tag: self.tag, applied: done.is_ok() });
        done
    }

    fn lost(&self) -> Option<&CancellationToken> {
        Some(&self.lost)
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.world.note(Happened::Freed { tag: self.tag });
    }
}
