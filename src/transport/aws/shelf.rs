//! What one queue has sent us and no handler has yet: ready, behind its key, or waiting for its time.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, time::Instant};

use super::parcel::Parcel;
use crate::{time::until, transport::lanes::Lanes};

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

    /// A parcel is settled: its key is let go of, and its place free. Once nobody reads any more, what waited behind it is
    /// given up.
    pub(super) fn leave(&self, key: Option<&str>) -> Vec<Parcel> {
        let mut rests = self.rests();
        if rests.ended {
            drop(rests);
            return self.forsake(key);
        }
        rests.out = rests.out.saturating_sub(1);
        if let Some(key) = key {
            rests.lanes.leave(key);
            let next = rests.lanes.ready();
            rests.ready.extend(next);
        }
        drop(rests);
        self.bell.notify_one();
        self.room.notify_one();
        Vec::new()
    }

    /// A parcel that was handed out is no more, nor is its key: what waits here behind it, in order.
    pub(super) fn forsake(&self, key: Option<&str>) -> Vec<Parcel> {
        let mut rests = self.rests();
        rests.out = rests.out.saturating_sub(1);
        let mut behind = Vec::new();
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

    /// Nobody reads any more: what rests is given up, as it came. What waits behind one that is handed out stays until that
    /// one is settled, for it would overtake.
    pub(super) fn end(&self) -> Vec<Parcel> {
        let mut rests = self.rests();
        rests.ended = true;
        let held = std::mem::take(&mut rests.held).into_iter().map(|(_, parcel)| parcel);
        let mut given_up: Vec<Parcel> = held.chain(std::mem::take(&mut rests.ready)).collect();
        let keys: HashSet<String> = given_up.iter().filter_map(|parcel| parcel.key.clone()).collect();
        for parcel in rests.lanes.forget(|parcel| parcel.key.clone().unwrap_or_default()) {
            let free = match parcel.key.clone().filter(|key| !keys.contains(key)) {
                Some(key) => rests.lanes.arrive(&key, parcel),
                None => Some(parcel),
            };
            given_up.extend(free);
        }
        given_up.sort_unstable_by_key(|parcel| parcel.number);
        given_up
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

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{time::Clock, transport::aws::letter::Post};

    fn parcel(number: u64, key: &str) -> Parcel {
        let message = Message::builder().attributes(MessageSystemAttributeName::MessageGroupId, key).build();
        Parcel::new(Post::from(message), (number, CancellationToken::new()), true)
    }

    fn numbers(parcels: impl IntoIterator<Item = Parcel>) -> Vec<u64> {
        parcels.into_iter().map(|parcel| parcel.number).collect()
    }

    #[test]
    fn o4_what_is_given_up_goes_back_as_it_came_and_behind_what_is_out_after_it() {
        let (shelf, now) = (Shelf::default(), Clock::system().instant());
        for (number, key) in [(1, "a"), (2, "b"), (3, "c"), (4, "a"), (5, "b"), (6, "a"), (7, "c")] {
            assert!(shelf.arrive(parcel(number, key)).is_none());
        }
        let (out, rests) = (shelf.take(now).unwrap(), shelf.take(now).unwrap());
        assert!(shelf.hold(rests, now).is_none());
        assert_eq!(numbers(shelf.end()), [2, 3, 5, 7]);
        assert_eq!(numbers(shelf.arrive(parcel(8, "b"))), [8], "nobody reads any more");
        assert_eq!(numbers(shelf.leave(out.key.as_deref())), [4, 6]);
    }
}
