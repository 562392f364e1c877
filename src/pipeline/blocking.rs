//! What the log says of a handler that blocks its thread (L4).

use std::{sync::Arc, time::Duration};

use super::Incoming;
use crate::{envelope::MessageId, lifecycle::Blocking};

/// Which handling it is.
pub(super) struct Handling {
    queue: Arc<str>,
    event: &'static str,
    id: MessageId,
    attempt: u32,
}

impl Handling {
    pub(super) fn of(incoming: &Incoming) -> Self {
        let Incoming { queue, id, attempt, .. } = incoming;
        Self { queue: queue.clone(), event: incoming.event(), id: id.clone(), attempt: *attempt }
    }
}

impl Blocking for Handling {
    fn blocks(&self, so_far: Duration) {
        let Self { queue, event, id, attempt } = self;
        let queue = &**queue;
        tracing::warn!(queue, event, message_id = %id, attempt, ?so_far, "the handler blocks its thread: give what takes long to `spawn_blocking`");
    }

    fn blocked(&self, in_all: Duration) {
        let Self { queue, event, id, attempt } = self;
        let queue = &**queue;
        tracing::warn!(queue, event, message_id = %id, attempt, ?in_all, "the handler blocked its thread, and has let go of it");
    }
}
