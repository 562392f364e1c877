//! Publishing: limits first, then every queue at once, waiting for room up to a deadline.

use std::{pin::pin, sync::Arc};

use tokio::time::{Instant, timeout_at};

use super::{
    Memory,
    broker::{Answer, Bell},
};
use crate::transport::{Outgoing, PublishError, PublishErrorKind, Transport};

impl Memory {
    /// Stores the message in every queue that wants it, or in none (P1).
    ///
    /// Dropped while it waits for room, it has stored nothing.
    pub(super) async fn publish_until(&self, outgoing: Outgoing, deadline: Instant) -> Result<(), PublishError> {
        if self.connection.closed.is_cancelled() {
            return Err(closed());
        }
        self.capabilities().check(&outgoing)?;
        // What travels is sealed; the payload beside it was for middleware.
        let message = Arc::new(Outgoing { payload: None, ..outgoing });
        match self.broker.publish(&message) {
            Answer::Stored => Ok(()),
            Answer::Unroutable => Err(unroutable(&message)),
            Answer::Full(bell) => self.publish_when_free(message, bell, deadline).await,
        }
    }

    async fn publish_when_free(
        &self,
        message: Arc<Outgoing>,
        mut bell: Arc<Bell>,
        deadline: Instant,
    ) -> Result<(), PublishError> {
        loop {
            let waited = bell.clone();
            // Registered before looking, so that a place that frees after the look wakes us.
            let mut room = pin!(waited.room.notified());
            room.as_mut().enable();
            match self.broker.publish(&message) {
                Answer::Stored => return Ok(()),
                Answer::Unroutable => return Err(unroutable(&message)),
                Answer::Full(full) => bell = full,
            }
            if !Arc::ptr_eq(&bell, &waited) {
                // Room here, but not there: whoever is next in line here can have it.
                waited.room.notify_one();
                continue;
            }
            tokio::select! {
                biased;
                woken = timeout_at(deadline, room) => woken.map_err(|_| full(&message))?,
                () = self.connection.closed.cancelled() => return Err(closed()),
            }
        }
    }
}

fn unroutable(message: &Outgoing) -> PublishError {
    let text = format!(
        "no queue of this process is bound to topic `{}` for `{}`, and `memory:` is each process's own; start who is to \
         handle it in this one, name a broker (TEGAMI_TRANSPORT), or say with `allow_unroutable` that nobody needs to",
        message.topic, message.event
    );
    PublishError::new(PublishErrorKind::Unroutable, text)
}

fn full(message: &Outgoing) -> PublishError {
    let text = format!("a queue of topic `{}` had no room up to the deadline", message.topic);
    PublishError::new(PublishErrorKind::Backpressure, text)
}

fn closed() -> PublishError {
    PublishError::new(PublishErrorKind::Closed, "the memory transport was closed")
}
