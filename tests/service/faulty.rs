//! The memory transport behind a hand that fails as it is told to.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tegami::{
    testing::transport::{Tamper, tampering},
    transport::{
        Capabilities, Deliveries, Delivery, Memory, Outgoing, Provision, PublishError, QueuePlan, SettleError,
        SettleErrorKind, Settlement, Topology, Transport, TransportError, TransportErrorKind,
    },
};

/// What still goes wrong; each count is used up.
#[derive(Default)]
pub struct Faults {
    /// What is declared in place of nothing.
    pub capabilities: Option<Capabilities>,
    pub hanging_publishes: AtomicUsize,
    pub failing_provisions: AtomicUsize,
    pub panicking_consumes: AtomicUsize,
    pub failing_settles: AtomicUsize,
    pub hanging_settles: AtomicUsize,
    /// How many deliveries are handed out beyond what was asked for.
    pub surplus: usize,
    /// How often it was asked to publish.
    pub publishes: AtomicUsize,
    /// How often the transport was closed.
    pub closes: AtomicUsize,
}

/// Uses up one fault of this kind, if there is one left.
fn strikes(fault: &AtomicUsize) -> bool {
    fault.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

pub struct Faulty {
    pub memory: Memory,
    pub faults: Arc<Faults>,
}

impl Faulty {
    pub fn new(faults: Faults) -> Self {
        Self { memory: Memory::new(), faults: Arc::new(faults) }
    }

    pub fn transport(&self) -> impl Transport + use<> {
        tampering(self.memory.clone(), self.faults.clone())
    }
}

#[async_trait]
impl Tamper for Faults {
    fn capabilities(&self, _: Capabilities) -> Capabilities {
        self.capabilities.unwrap_or(Capabilities::none())
    }

    async fn provision(&self, topology: &Topology, mode: Provision, on: &dyn Transport) -> Result<(), TransportError> {
        if strikes(&self.failing_provisions) {
            return Err(TransportError::new(TransportErrorKind::Mismatch, "a queue differs from the plan"));
        }
        on.provision(topology, mode).await
    }

    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        self.publishes.fetch_add(1, Ordering::SeqCst);
        if strikes(&self.hanging_publishes) {
            pending::<()>().await;
        }
        on.publish(outgoing).await
    }

    async fn consume(&self, queue: &QueuePlan, on: &dyn Transport) -> Result<Box<dyn Deliveries>, TransportError> {
        assert!(!strikes(&self.panicking_consumes), "no panic is expected of a transport");
        on.consume(queue).await
    }

    async fn next(&self, from: &mut dyn Deliveries, room: usize) -> Result<Vec<Delivery>, TransportError> {
        from.next(room + self.surplus).await
    }

    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        if strikes(&self.failing_settles) {
            return Err(SettleError::new(SettleErrorKind::Lost, "the lease has run out"));
        }
        if strikes(&self.hanging_settles) {
            pending::<()>().await;
        }
        delivery.settle(settlement).await
    }

    async fn close(&self, on: &dyn Transport) {
        self.closes.fetch_add(1, Ordering::SeqCst);
        on.close().await;
    }
}
