//! What one queue has sent us and no handler has yet: ready, behind its key, or waiting for its time.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::parcel::Parcel;
use crate::transport::lanes::Lanes;

/// The parcels of one reader of a queue.
#[derive(Default)]
pub(super) struct Shelf {
    rests: Mutex<Rests>,
    /// There is something to hand out.
    bell: Notify,
    /// There is room for more.
    pub(super) room: Notify,
}

#[derive(Default)]
struct Rests {
    lanes: Lanes<Parcel>,
    ready: VecDeque<Parcel>,
    held: Vec<(Instant, Parcel)>,
    /// Handed out, and not settled.
    out: usize,
    ended: bool,
}

impl Shelf {
    /// Takes in a parcel that has come; gives it back, if nobody reads any more.
    pub(super) fn arrive(&self, parcel: Parcel) -> Option<Parcel> {
        let mut rests = self.rests();
        if rests.ended {
            return Some(parcel);
        }
        let ready = match parcel.key.clone() {
            Some(key) => rests.lanes.arrive(&key, parcel),
            None => Some(parcel),
        };
        rests.ready.extend(ready);
        drop(rests);
        self.bell.notify_one();
        None
    }

    /// Hands out a parcel whose time or turn has come.
    pub(super) fn take(&self, now: Instant) -> Option<Parcel> {
        let mut rests = self.rests();
        let due = rests.held.iter().position(|(until, _)| *until <= now);
        let parcel = match due {
            Some(place) => rests.held.swap_remove(place).1,
            None => rests.ready.pop_front()?,
        };
        rests.out += 1;
        Some(parcel)
    }

    /// A parcel is settled: its key is let go of, and its place free.
    pub(super) fn leave(&self, key: Option<&str>) {
        let mut rests = self.rests();
        rests.out = rests.out.saturating_sub(1);
        if let Some(key) = key {
            rests.lanes.leave(key);
            let next = rests.lanes.ready();
            rests.ready.extend(next);
        }
        drop(rests);
        self.bell.notify_one();
        self.room.notify_one();
    }

    /// A parcel that was handed out is with others now: what waits here behind its key, in order.
    pub(super) fn forsake(&self, key: Option<&str>) -> Vec<Parcel> {
        let (mut rests, mut behind) = (self.rests(), Vec::new());
        rests.out = rests.out.saturating_sub(1);
        if let Some(key) = key {
            rests.lanes.leave(key);
            while let Some(next) = rests.lanes.ready() {
                behind.push(next);
                rests.lanes.leave(key);
            }
        }
        drop(rests);
        self.room.notify_one();
        behind
    }

    /// Keeps a parcel that was handed out until then, and its key with it; gives it back, if nobody reads any more.
    pub(super) fn hold(&self, parcel: Parcel, until: Instant) -> Option<Parcel> {
        let mut rests = self.rests();
        if rests.ended {
            return Some(parcel);
        }
        rests.out = rests.out.saturating_sub(1);
        rests.held.push((until, parcel));
        drop(rests);
        self.bell.notify_one();
        self.room.notify_one();
        None
    }

    /// How many are ready or handed out.
    pub(super) fn in_work(&self) -> usize {
        let rests = self.rests();
        rests.ready.len() + rests.out
    }

    /// Nobody reads any more: what rests is given up, in no order.
    pub(super) fn end(&self) -> Vec<Parcel> {
        let mut rests = self.rests();
        rests.ended = true;
        let held = std::mem::take(&mut rests.held).into_iter().map(|(_, parcel)| parcel);
        let ready = std::mem::take(&mut rests.ready);
        let waiting = rests.lanes.forget(|parcel| parcel.key.clone().unwrap_or_default());
        held.chain(ready).chain(waiting).collect()
    }

    /// Waits until it is worth to look again.
    pub(super) async fn changed(&self) {
        let earliest = self.rests().held.iter().map(|(until, _)| *until).min();
        let mut bell = pin!(self.bell.notified());
        match earliest {
            Some(earliest) => tokio::select! {
                biased;
                () = &mut bell => {}
                () = sleep_until(earliest) => {}
            },
            None => bell.await,
        }
    }

    fn rests(&self) -> MutexGuard<'_, Rests> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
