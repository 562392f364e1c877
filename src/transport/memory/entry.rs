//! One message in one queue, with what the queue knows of it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::transport::Outgoing;

/// A message in a queue.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The message; queues it went to share it.
    pub(super) message: Arc<Outgoing>,
    /// Its place in the queue.
    pub(super) position: u64,
    /// The number of its next delivery, from 1.
    pub(super) attempt: u32,
    /// Has anyone been handed it before?
    pub(super) redelivered: bool,
    /// When this queue first handed it out.
    pub(super) first: Option<Instant>,
    /// Not to be handed out before.
    pub(super) due: Option<Instant>,
}

impl Entry {
    /// A message nobody has seen.
    pub(super) fn new(message: Arc<Outgoing>, position: u64, due: Option<Instant>) -> Self {
        Self { message, position, attempt: 1, redelivered: false, first: None, due }
    }

    /// What must stay in order together.
    pub(super) fn key(&self) -> Option<&str> {
        self.message.key.as_deref()
    }
}
