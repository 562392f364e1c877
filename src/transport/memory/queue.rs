//! One queue as a pure state machine: no clock, no task, no waiting. Each change returns whom to wake.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{dead::DeadLetters, entry::Entry, lanes::Lanes};
use crate::{
    time::NEVER,
    transport::{Outgoing, SettleErrorKind, Settlement},
};

/// How long a message rests whose dead-letter copy was refused (X4).
const REFUSED: Duration = Duration::from_secs(1);

/// Whom a change wakes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wake {
    /// So many messages became ready.
    pub(super) ready: usize,
    /// The earliest delay ends sooner than waiting consumers think.
    pub(super) sooner: bool,
    /// So many places became free.
    pub(super) room: usize,
}

/// How much is in a queue.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Depth {
    /// Waiting for a consumer, or behind another message of their key.
    pub ready: usize,
    /// Waiting for their delay to end.
    pub delayed: usize,
    /// Handed out and not settled.
    pub in_flight: usize,
    /// Given up on and kept.
    pub dead: usize,
}

impl Depth {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            ready: self.ready + other.ready,
            delayed: self.delayed + other.delayed,
            in_flight: self.in_flight + other.in_flight,
            dead: self.dead + other.dead,
        }
    }
}

/// A message handed out.
#[derive(Debug)]
pub(super) struct Handed {
    /// What to settle it by.
    pub(super) tag: u64,
    /// The message as it is delivered.
    pub(super) entry: Entry,
}

#[derive(Debug)]
struct InFlight {
    entry: Entry,
    connection: u64,
}

/// One queue.
#[derive(Debug)]
pub(super) struct Queue {
    ordered: bool,
    capacity: usize,
    next: u64,
    ready: BTreeMap<u64, Entry>,
    delayed: BTreeMap<(Instant, u64), Entry>,
    in_flight: HashMap<u64, InFlight>,
    lanes: Lanes,
}

impl Queue {
    /// An empty queue.
    pub(super) fn new(ordered: bool, capacity: usize) -> Self {
        Self {
            ordered,
            capacity,
            next: 0,
            ready: BTreeMap::new(),
            delayed: BTreeMap::new(),
            in_flight: HashMap::new(),
            lanes: Lanes::default(),
        }
    }

    /// Forgets all that is here and begins anew; tags go on, so that none means something else.
    pub(super) fn renew(&mut self, ordered: bool) {
        *self = Self { next: self.next, ..Self::new(ordered, self.capacity) };
    }

    /// Is there room for one more?
    pub(super) fn has_room(&self) -> bool {
        self.unsettled() < self.capacity
    }

    /// How many messages are here, dead letters aside.
    pub(super) fn unsettled(&self) -> usize {
        self.ready.len() + self.delayed.len() + self.in_flight.len() + self.lanes.behind()
    }

    /// When the first delay ends.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }

    /// How much is here, dead letters aside.
    pub(super) fn depth(&self) -> Depth {
        Depth {
            ready: self.ready.len() + self.lanes.behind(),
            delayed: self.delayed.len(),
            in_flight: self.in_flight.len(),
            dead: 0,
        }
    }

    /// Puts a message at the end. The caller has seen that there is room.
    pub(super) fn push(&mut self, message: Arc<Outgoing>, now: Instant) -> Wake {
        let due = message.delay.map(|delay| end_of(delay, now));
        let position = self.number();
        self.enter(Entry::new(message, position, due), now)
    }

    /// Hands out at most `room` messages, those first whose place is first.
    pub(super) fn take(&mut self, room: usize, connection: u64, now: Instant) -> (Vec<Handed>, Wake) {
        let ripe = self.ripen(now);
        let count = room.min(self.ready.len());
        let mut handed = Vec::with_capacity(count);
        for _ in 0..count {
            let Some((_, entry)) = self.ready.pop_first() else { break };
            handed.push(self.hand_out(entry, connection, now));
        }
        (handed, Wake { ready: ripe.min(self.ready.len()), ..Wake::default() })
    }

    /// Does with a handed-out message what its consumer decided.
    pub(super) fn settle(
        &mut self,
        tag: u64,
        settlement: Settlement,
        now: Instant,
        dead: &mut DeadLetters,
    ) -> (Settled, Wake) {
        let Some(InFlight { entry, .. }) = self.in_flight.remove(&tag) else {
            return (Err(SettleErrorKind::Lost), Wake::default());
        };
        match settlement {
            Settlement::Ack => (Ok(()), self.leave(&entry, now)),
            Settlement::Retry { after } => (Ok(()), self.retry(entry, after, now)),
            Settlement::Release => (Ok(()), self.place(entry, now)),
            Settlement::DeadLetter(_) if !dead.has_room() => {
                let entry = Entry { due: Some(now + REFUSED), ..entry };
                (Err(SettleErrorKind::CopyRefused), self.place(entry, now))
            }
            Settlement::DeadLetter(reason) => {
                let wake = self.leave(&entry, now);
                dead.keep(entry, reason);
                (Ok(()), wake)
            }
        }
    }

    /// Takes back what a connection was handed and has not settled.
    pub(super) fn give_back(&mut self, connection: u64, now: Instant) -> Wake {
        let gone = self.in_flight.extract_if(|_, held| held.connection == connection);
        let entries: Vec<Entry> = gone.map(|(_, held)| held.entry).collect();
        let ready = entries.len();
        for entry in entries {
            self.place(entry, now);
        }
        Wake { ready, ..Wake::default() }
    }

    /// Puts a dead letter back at the end, as if it had never been tried (X7). The caller has seen that there is room.
    pub(super) fn put_back(&mut self, dead: Entry, now: Instant) -> Wake {
        let position = self.number();
        self.enter(Entry { redelivered: true, ..Entry::new(dead.message, position, None) }, now)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn enter(&mut self, entry: Entry, now: Instant) -> Wake {
        let entry = if self.ordered { self.lanes.enter(entry) } else { Some(entry) };
        entry.map_or_else(Wake::default, |entry| self.place(entry, now))
    }

    fn leave(&mut self, entry: &Entry, now: Instant) -> Wake {
        let key = entry.key().filter(|_| self.ordered);
        let next = key.and_then(|key| self.lanes.leave(key));
        let wake = next.map_or_else(Wake::default, |next| self.place(next, now));
        Wake { room: 1, ..wake }
    }

    fn retry(&mut self, entry: Entry, after: Duration, now: Instant) -> Wake {
        // In order, a retry keeps its place; elsewhere it goes to the end, so that it starves nobody.
        let keeps_place = self.ordered && entry.key().is_some();
        let position = if keeps_place { entry.position } else { self.number() };
        let attempt = entry.attempt.saturating_add(1);
        self.place(Entry { position, attempt, due: Some(end_of(after, now)), ..entry }, now)
    }

    fn place(&mut self, entry: Entry, now: Instant) -> Wake {
        let Some(due) = entry.due.filter(|due| *due > now) else {
            self.ready.insert(entry.position, entry);
            return Wake { ready: 1, ..Wake::default() };
        };
        let sooner = self.earliest().is_none_or(|earliest| due < earliest);
        self.delayed.insert((due, entry.position), entry);
        Wake { sooner, ..Wake::default() }
    }

    fn ripen(&mut self, now: Instant) -> usize {
        let before = self.ready.len();
        while let Some(first) = self.delayed.first_entry().filter(|first| first.key().0 <= now) {
            let entry = first.remove();
            self.ready.insert(entry.position, entry);
        }
        self.ready.len() - before
    }

    fn hand_out(&mut self, mut entry: Entry, connection: u64, now: Instant) -> Handed {
        let tag = self.number();
        entry.first.get_or_insert(now);
        let handed = Handed { tag, entry: entry.clone() };
        entry.redelivered = true;
        entry.due = None;
        self.in_flight.insert(tag, InFlight { entry, connection });
        handed
    }
}

/// What a settlement came to.
pub(super) type Settled = Result<(), SettleErrorKind>;

/// When a delay that begins now has passed.
pub(super) fn end_of(delay: Duration, now: Instant) -> Instant {
    now.checked_add(delay).unwrap_or(now + NEVER)
}
