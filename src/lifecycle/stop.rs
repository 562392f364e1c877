//! The wish to stop, from a handler, a hook or a signal.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU8, Ordering},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Asks a service to stop. Clones ask the same service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    asked: CancellationToken,
    at_once: CancellationToken,
    code: Arc<AtomicU8>,
    over: Arc<OnceLock<Instant>>,
}

impl Stop {
    /// Asks; the last code that is not zero is the process's.
    pub(crate) fn request(&self, code: u8) {
        if code != 0 {
            self.code.store(code, Ordering::Relaxed);
        }
        self.asked.cancel();
    }

    /// Asks, and does not wait for a start that is under way.
    pub(crate) fn interrupt(&self) {
        self.at_once.cancel();
        self.request(0);
    }

    /// Waits until somebody asks who does not wait for a start.
    pub(crate) async fn interrupted(&self) {
        self.at_once.cancelled().await;
    }

    /// Waits until somebody asks.
    pub(crate) async fn requested(&self) {
        self.asked.cancelled().await;
    }

    /// Notes by when all of it must be over, as it begins; the first word counts.
    pub(crate) fn over_by(&self, when: Option<Instant>) {
        if let Some(when) = when {
            self.over.get_or_init(|| when);
        }
    }

    /// By when all of it must be over, if it has begun.
    pub(crate) fn over(&self) -> Option<Instant> {
        self.over.get().copied()
    }

    /// The exit code asked for.
    pub(crate) fn code(&self) -> u8 {
        self.code.load(Ordering::Relaxed)
    }
}
