//! A connection that ends at the worst moment: between the end of a handler and its ack.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;

use super::{Tamper, tampered, trial::held};
use crate::transport::{Delivery, SettleError, Settlement, Transport};

/// Ends its connection just before one of the acks.
pub(super) struct Cut {
    connection: Arc<dyn Transport>,
    before: AtomicUsize,
    cut: Mutex<Option<String>>,
}

impl Cut {
    /// Ends this connection before its so-manieth ack, from 1.
    pub(super) fn new(connection: Arc<dyn Transport>, before: usize) -> Arc<Self> {
        Arc::new(Self { connection, before: AtomicUsize::new(before), cut: Mutex::default() })
    }

    /// The connection, as it is to be used.
    pub(super) fn connection(self: &Arc<Self>) -> Arc<dyn Transport> {
        tampered(self.connection.clone(), self.clone())
    }

    /// The message whose ack came too late.
    pub(super) fn id(&self) -> Option<String> {
        held(&self.cut).clone()
    }
}

#[async_trait]
impl Tamper for Cut {
    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        if matches!(settlement, Settlement::Ack) && self.before.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.connection.close().await;
            *held(&self.cut) = delivery.id.as_ref().map(ToString::to_string);
        }
        delivery.settle(settlement).await
    }
}
