//! Channels that the broker has ended, told at once: the client tells it to nobody but whoever asks for the next delivery.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Who is to be told that the broker has closed a channel, or ended its consumer; by the channel's number.
#[derive(Debug, Default)]
pub(in crate::transport::amqp) struct Ended(Mutex<HashMap<u16, CancellationToken>>);

impl Ended {
    /// Has this set once the broker ends the channel; in place of what was given for an earlier one with its number.
    pub(in crate::transport::amqp) fn watch(&self, channel: u16, lost: CancellationToken) {
        self.lock().insert(channel, lost);
    }

    pub(super) fn tell(&self, channel: u16) {
        let watching = self.lock().remove(&channel);
        if let Some(lost) = watching {
            lost.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u16, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
