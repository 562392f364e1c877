//! What one queue has sent us and no handler has yet: behind its key, or waiting for its time.
//!
//! It outlives connections: a handler that still runs keeps its key, and what the broker sends again waits for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

use super::parcel::Parcel;
use crate::{time::until, transport::lanes::Lanes};

/// The parcels of one queue.
#[derive(Default)]
pub(super) struct Shelf {
    rests: Mutex<Rests>,
    bell: Notify,
}

#[derive(Default)]
struct Rests {
    lanes: Lanes<Parcel>,
    held: Vec<(Instant, Parcel)>,
    readers: u64,
    reader: Option<u64>,
}

impl Shelf {
    /// Begins anew for another reader: what is here is dead, for its channel is.
    pub(super) fn read(&self) -> u64 {
        let mut rests = self.rests();
        rests.clear();
        rests.readers += 1;
        rests.reader = Some(rests.readers);
        rests.readers
    }

    /// Ends a reader; gives back what rests, unless there is another reader by now.
    pub(super) fn end(&self, reader: u64) -> Vec<Parcel> {
        let mut rests = self.rests();
        if rests.reader != Some(reader) {
            return Vec::new();
        }
        rests.reader = None;
        rests.clear()
    }

    /// Takes in a parcel; gives it back if it can be handed out.
    pub(super) fn arrive(&self, parcel: Parcel) -> Option<Parcel> {
        match parcel.key.clone() {
            Some(key) => self.rests().lanes.arrive(&key, parcel),
            None => Some(parcel),
        }
    }

    /// Lets go of a key.
    pub(super) fn leave(&self, key: &str) {
        self.rests().lanes.leave(key);
        self.bell.notify_one();
    }

    /// Keeps a parcel until then, and its key with it. One of a reader that has ended is dropped: it goes back to the
    /// broker with its channel.
    pub(super) fn hold(&self, parcel: Parcel, until: Instant) {
        let mut rests = self.rests();
        if rests.reader == Some(parcel.intake.reader) {
            rests.held.push((until, parcel));
        } else if let Some(key) = &parcel.key {
            rests.lanes.leave(key);
        }
        drop(rests);
        self.bell.notify_one();
    }

    /// A parcel whose time or turn has come.
    pub(super) fn take(&self, now: Instant) -> Option<Parcel> {
        let mut rests = self.rests();
        let due = rests.held.iter().position(|(until, _)| *until <= now);
        match due {
            Some(place) => Some(rests.held.swap_remove(place).1),
            None => rests.lanes.ready(),
        }
    }

    /// Waits until it is worth to look again.
    pub(super) async fn changed(&self) {
        let earliest = self.rests().held.iter().map(|(until, _)| *until).min();
        tokio::select! {
            biased;
            () = self.bell.notified() => {}
            () = until(earliest) => {}
        }
    }

    fn rests(&self) -> MutexGuard<'_, Rests> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rests {
    fn clear(&mut self) -> Vec<Parcel> {
        let held: Vec<Parcel> = std::mem::take(&mut self.held).into_iter().map(|(_, parcel)| parcel).collect();
        let mut rests = self.lanes.forget(|parcel| parcel.key.clone().unwrap_or_default());
        for parcel in held {
            if let Some(key) = &parcel.key {
                self.lanes.leave(key);
            }
            rests.push(parcel);
        }
        rests
    }
}
