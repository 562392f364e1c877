//! How much may be on its way to the broker and unconfirmed (P8).

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most publishes that wait for their confirm (P8).
pub(super) const MESSAGES: usize = 1_000;
/// The most kibibytes that they have together (P8).
pub(super) const KIBIBYTES: usize = 32 * 1024;

/// The publishes that are not confirmed yet.
pub(super) struct Window {
    messages: Arc<Semaphore>,
    kibibytes: Arc<Semaphore>,
}

/// One publish's share of the window, until it is dropped.
pub(super) struct Place {
    _message: OwnedSemaphorePermit,
    _kibibytes: OwnedSemaphorePermit,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { messages: Arc::new(Semaphore::new(MESSAGES)), kibibytes: Arc::new(Semaphore::new(KIBIBYTES)) }
    }

    /// Waits for a place for so many bytes.
    pub(super) async fn place(&self, bytes: usize) -> Place {
        let share = u32::try_from(bytes.div_ceil(1024).clamp(1, KIBIBYTES)).expect("it is no more than the window");
        let never = "the window is never closed";
        let _message = self.messages.clone().acquire_owned().await.expect(never);
        Place { _message, _kibibytes: self.kibibytes.clone().acquire_many_owned(share).await.expect(never) }
    }

    /// Waits until no place is taken.
    pub(super) async fn quiet(&self) {
        let all = u32::try_from(MESSAGES).expect("a small number");
        let _all = self.messages.acquire_many(all).await;
    }
}
