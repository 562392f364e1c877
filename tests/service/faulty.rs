//! A transport from outside the crate, with faults: the memory transport behind one that fails as it is told to.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tegami::transport::{
    Capabilities, DeadLetter, Deliveries, Delivery, Lease, Memory, Outgoing, Provision, PublishError, QueuePlan,
    SettleError, SettleErrorKind, Settlement, Topology, Transport, TransportError, TransportErrorKind,
};
use tokio::time::Instant;

/// What still goes wrong; each count is used up.
#[derive(Default)]
pub struct Faults {
    pub hanging_publishes: AtomicUsize,
    pub failing_provisions: AtomicUsize,
    pub failing_consumes: AtomicUsize,
    pub panicking_consumes: AtomicUsize,
    pub failing_settles: AtomicUsize,
    pub hanging_settles: AtomicUsize,
    /// How many deliveries are handed out beyond what was asked for.
    pub surplus: usize,
    /// When `consume` was called.
    pub consumes: Mutex<Vec<Instant>>,
    /// How often it was asked to publish.
    pub publishes: AtomicUsize,
    /// How often the transport was closed.
    pub closes: AtomicUsize,
}

/// Uses up one fault of this kind, if there is one left.
fn strikes(fault: &AtomicUsize) -> bool {
    fault.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[derive(Clone)]
pub struct Faulty {
    pub memory: Memory,
    pub capabilities: Capabilities,
    pub faults: Arc<Faults>,
}

impl Faulty {
    pub fn new(faults: Faults) -> Self {
        let capabilities =
            Capabilities::none().reports_unroutable().delay(Duration::from_secs(60)).message_limit(1024 * 1024);
        Self { memory: Memory::new(), capabilities, faults: Arc::new(faults) }
    }
}

#[async_trait]
impl Transport for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        if strikes(&self.faults.failing_provisions) {
            return Err(unreachable());
        }
        self.memory.provision(topology, mode).await
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        self.faults.publishes.fetch_add(1, Ordering::SeqCst);
        if strikes(&self.faults.hanging_publishes) {
            std::future::pending::<()>().await;
        }
        self.memory.publish(outgoing).await
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        self.faults.consumes.lock().expect("no panic while it is held").push(Instant::now());
        assert!(!strikes(&self.faults.panicking_consumes), "no panic is expected of a transport");
        if strikes(&self.faults.failing_consumes) {
            return Err(unreachable());
        }
        let inner = self.memory.consume(queue).await?;
        Ok(Box::new(FaultyDeliveries { inner, faults: self.faults.clone() }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.memory.dead_letters(queue, limit).await
    }

    async fn redrive(&self, queue: &str) -> Result<usize, TransportError> {
        self.memory.redrive(queue).await
    }

    async fn close(&self) {
        self.faults.closes.fetch_add(1, Ordering::SeqCst);
        self.memory.close().await;
    }
}

fn unreachable() -> TransportError {
    TransportError::new(TransportErrorKind::Unreachable, "the broker is away")
}

struct FaultyDeliveries {
    inner: Box<dyn Deliveries>,
    faults: Arc<Faults>,
}

#[async_trait]
impl Deliveries for FaultyDeliveries {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let deliveries = self.inner.next(room + self.faults.surplus).await?;
        let wrap = |inner: Delivery| {
            let (sealed, attempt) = (inner.sealed.clone(), inner.attempt);
            Delivery::new(sealed, attempt, FaultyLease { inner, faults: self.faults.clone() })
        };
        Ok(deliveries.into_iter().map(wrap).collect())
    }
}

struct FaultyLease {
    inner: Delivery,
    faults: Arc<Faults>,
}

#[async_trait]
impl Lease for FaultyLease {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        if strikes(&self.faults.failing_settles) {
            return Err(SettleError::new(SettleErrorKind::Lost, "the lease has run out"));
        }
        if strikes(&self.faults.hanging_settles) {
            std::future::pending::<()>().await;
        }
        match settlement {
            Settlement::Ack => self.inner.ack().await,
            Settlement::Retry { after } => self.inner.retry(after).await,
            Settlement::Release => self.inner.release().await,
            Settlement::DeadLetter(reason) => self.inner.dead_letter(reason).await,
        }
    }
}
