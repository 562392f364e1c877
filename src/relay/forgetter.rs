//! The loop that has an inbox forget what is too old to matter, a little at a time.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::outbox::Outbox;

/// How many ids are forgotten in one transaction.
const AT_ONCE: usize = 1_000;
/// How long until the next look once nothing is too old, and between two transactions.
const LOOK: Duration = Duration::from_secs(60 * 60);
const REST: Duration = Duration::from_millis(100);

/// Forgets the ids of one inbox.
pub(crate) struct Forgetter {
    pub(crate) inbox: Arc<dyn Outbox>,
    pub(crate) kept: Duration,
    pub(crate) draining: CancellationToken,
}

impl Forgetter {
    /// Forgets until the service drains.
    pub(crate) async fn run(self) {
        loop {
            let forgotten = self.inbox.forget(self.kept, AT_ONCE).await.unwrap_or_else(|error| {
                tracing::warn!(inbox = self.inbox.name(), error = error.with_causes(), "old ids are not forgotten yet");
                0
            });
            let wait = if forgotten < AT_ONCE { LOOK } else { REST };
            tokio::select! {
                biased;
                () = self.draining.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
