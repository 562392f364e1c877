//! A hand in between that changes nothing and remembers what it saw.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use tokio::time::Instant;

use super::{Tamper, trial::held};
use crate::transport::{Deliveries, Delivery, QueuePlan, SettleError, Settlement, Transport, TransportError};

/// What was asked of a transport, and what it refused.
#[derive(Debug, Default)]
pub(super) struct Witness {
    consumes: Mutex<Vec<Instant>>,
    refused: AtomicUsize,
}

impl Witness {
    /// When deliveries were asked for.
    pub(super) fn consumes(&self) -> Vec<Instant> {
        held(&self.consumes).clone()
    }

    /// How many settlements were refused.
    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Tamper for Witness {
    async fn consume(&self, queue: &QueuePlan, on: &dyn Transport) -> Result<Box<dyn Deliveries>, TransportError> {
        held(&self.consumes).push(Instant::now());
        on.consume(queue).await
    }

    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        let settled = delivery.settle(settlement).await;
        self.refused.fetch_add(usize::from(settled.is_err()), Ordering::SeqCst);
        settled
    }
}
