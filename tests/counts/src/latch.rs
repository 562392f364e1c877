//! Tells when the last of so many messages has been handled; both services' handlers count down on it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// Counts handled messages. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Latch(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    left: AtomicUsize,
    last: Notify,
}

impl Latch {
    /// So many messages are to come.
    pub fn expect(&self, messages: usize) {
        self.0.left.store(messages, Ordering::Relaxed);
    }

    /// One was handled.
    pub fn arrived(&self) {
        if self.0.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.last.notify_one();
        }
    }

    /// How many have not come yet.
    pub fn left(&self) -> usize {
        self.0.left.load(Ordering::Acquire)
    }

    /// Waits for the last.
    pub async fn all(&self) {
        while self.left() > 0 {
            self.0.last.notified().await;
        }
    }
}
