//! Settling: late, in vain, done without an answer, or answered without being done.

use async_trait::async_trait;
use tegami::transport::{Lease, SettleError, SettleErrorKind, Settlement};
use tokio_util::sync::CancellationToken;

use super::Wire;
use crate::happened::{Happened, Tag};

/// The service's hold on one delivery.
pub struct Held {
    wire: Wire,
    tag: Tag,
    lost: CancellationToken,
}

impl Held {
    pub fn new(wire: &Wire, tag: Tag, lost: CancellationToken) -> Self {
        Self { wire: wire.clone(), tag, lost }
    }

    /// The broker has not done it: the delivery comes back as it was.
    fn forget(&self) {
        self.wire.0.world.note(Happened::Settled { tag: self.tag, applied: false });
        let inner = self.wire.line().held.remove(&self.tag);
        drop(inner);
    }

    async fn apply(&self, settlement: Settlement) -> Result<(), SettleError> {
        let inner = self.wire.line().held.remove(&self.tag);
        let Some((inner, _)) = inner else {
            self.wire.0.world.note(Happened::Settled { tag: self.tag, applied: false });
            return Err(lost());
        };
        let done = inner.settle(settlement).await;
        self.wire.0.world.note(Happened::Settled { tag: self.tag, applied: done.is_ok() });
        done
    }
}

fn lost() -> SettleError {
    SettleError::new(SettleErrorKind::Lost, "somebody else may have the delivery")
}

#[async_trait]
impl Lease for Held {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        let world = self.wire.0.world.clone();
        world.note(Happened::Settling { tag: self.tag, settlement: settlement.clone() });
        world.sleep(0..5).await;
        if world.strikes(10) {
            world.sleep(0..15_000).await;
        }
        let is_copy = matches!(settlement, Settlement::DeadLetter(_));
        if is_copy && world.strikes(50) {
            self.forget();
            return Err(SettleError::new(SettleErrorKind::CopyRefused, "the dead-letter queue takes nothing"));
        }
        if world.strikes(5) {
            self.forget();
            return Err(lost());
        }
        // A broker that forgets what it was told last: the delivery is repeated.
        if matches!(settlement, Settlement::Ack) && world.strikes(5) {
            self.forget();
            return Ok(());
        }
        let done = self.apply(settlement).await;
        if world.strikes(10) {
            world.sleep(0..15_000).await;
            return Err(lost());
        }
        done
    }

    fn lost(&self) -> Option<&CancellationToken> {
        Some(&self.lost)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.wire.0.world.note(Happened::Freed { tag: self.tag });
        let inner = self.wire.line().held.remove(&self.tag);
        drop(inner);
    }
}
