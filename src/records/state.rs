//! A queue as its reader knows it, as a pure state machine: no clock, no task, no waiting.
//!
//! Up to the mark, every event is done with or kept in a row; what is behind the mark has no row. So whoever begins at
//! the mark, with the rows, has it all.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::queues::{Kept, Standing};
use crate::{
    store::{Position, Recorded},
    time::Clock,
    transport::{Settlement, lanes::Lanes},
};

/// How many events may be begun and not done, before no more are read.
pub(super) const MOST: usize = 100_000;
/// How long an event keeps the mark from moving, before it gets a row.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer than any delay that ends: what an overflowing delay becomes.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// What a reader has of its queue, for as long as it has the queue.
pub(super) struct State {
    ordered: bool,
    clock: Clock,
    /// Does this reader have the queue? Set once it does not any more.
    pub(super) lost: Option<CancellationToken>,
    /// Nobody else has it before.
    pub(super) until: Instant,
    /// As the database has it.
    pub(super) mark: Position,
    /// Up to where events were read.
    pub(super) looked: Position,
    /// Up to here, somebody may have seen what is read.
    seen_before: Position,
    items: BTreeMap<Position, Item>,
    ready: VecDeque<Position>,
    delayed: BTreeSet<(Instant, Position)>,
    lanes: Lanes<Position>,
    /// Those without a row.
    loose: BTreeSet<Position>,
    /// What no transaction has yet.
    changes: BTreeMap<Position, Option<Kept>>,
    /// The last event that was settled in any way.
    settled: Position,
    /// Hand-outs so far, of all times.
    tags: u64,
    /// Transactions that were begun, of all times.
    batches: u64,
}

/// An event that is not done.
struct Item {
    key: Option<String>,
    attempt: u32,
    first: Option<SystemTime>,
    redelivered: bool,
    /// Was it handed out for the first time after its row was written?
    unnoted: bool,
    place: Place,
    since: Instant,
    /// As it was read, until it is handed out.
    event: Option<Box<Recorded>>,
}

impl Item {
    /// Does its row not say that it was handed out?
    fn is_seen_since(&self, position: Position, loose: &BTreeSet<Position>) -> bool {
        self.unnoted && self.place != Place::Dying && !loose.contains(&position)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// May be handed out, or waits behind another one of its key.
    Waits,
    Delayed(Instant),
    /// On its way to be handed out.
    Taken,
    /// Handed out.
    Out(u64),
    /// Given up on, and no transaction has it yet.
    Dying,
}

/// What is on its way to be handed out.
pub(super) type Taken = (Position, Option<Box<Recorded>>);

/// What is handed out.
pub(super) struct Handed {
    pub(super) tag: u64,
    pub(super) attempt: u32,
    pub(super) redelivered: bool,
    pub(super) first: Option<SystemTime>,
    pub(super) lost: CancellationToken,
}

/// What one transaction notes.
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) done: Vec<Position>,
    pub(super) kept: Vec<Kept>,
    pub(super) to: Position,
}

/// Somebody else may have the event.
pub(super) struct Lost;

/// What becomes of a settlement.
pub(super) enum Settled {
    /// It is done.
    Now,
    /// It is done once this transaction is, unless the queue is lost before.
    After(u64, CancellationToken),
}

impl State {
    pub(super) fn new(ordered: bool, clock: Clock) -> Self {
        Self {
            ordered,
            clock,
            lost: None,
            until: clock.instant(),
            mark: Position::START,
            looked: Position::START,
            seen_before: Position::START,
            items: BTreeMap::new(),
            ready: VecDeque::new(),
            delayed: BTreeSet::new(),
            lanes: Lanes::default(),
            loose: BTreeSet::new(),
            changes: BTreeMap::new(),
            settled: Position::START,
            tags: 0,
            batches: 0,
        }
    }

    /// The queue is this reader's: it begins at the mark, with what is kept.
    pub(super) fn begin(&mut self, until: Instant, (mark, seen_before): (Position, Position), kept: Vec<Kept>) {
        let (tags, batches, lost) = (self.tags, self.batches, Some(CancellationToken::new()));
        let new = Self::new(self.ordered, self.clock);
        *self = Self { lost, until, mark, looked: mark, seen_before, settled: mark, tags, batches, ..new };
        for kept in kept {
            self.enter(kept);
        }
    }

    /// The queue is somebody else's, or may be.
    pub(super) fn lose(&mut self) {
        if let Some(lost) = self.lost.take() {
            lost.cancel();
        }
        let (tags, batches) = (self.tags, self.batches);
        *self = Self { tags, batches, ..Self::new(self.ordered, self.clock) };
    }

    /// Is there room to read more?
    pub(super) fn has_room(&self) -> bool {
        self.lost.is_some() && self.ready.is_empty() && self.items.len() < MOST
    }

    /// How many of those that were put back there is room for.
    pub(super) fn room(&self) -> usize {
        MOST.saturating_sub(self.items.len())
    }

    /// Is something handed out, or on its way?
    pub(super) fn is_out(&self) -> bool {
        self.items.values().any(|item| matches!(item.place, Place::Out(_) | Place::Taken | Place::Dying))
    }

    /// When the first delay ends; none, once nothing may be handed out.
    pub(super) fn earliest(&self) -> Option<Instant> {
        let has = self.lost.is_some() && self.clock.instant() < self.until;
        self.delayed.first().filter(|_| has).map(|(due, _)| *due)
    }

    /// Takes in events that were read behind the last ones, those that are wanted; all up to `next` were looked at.
    pub(super) fn arrive(&mut self, events: Vec<Recorded>, next: Position) {
        let since = self.clock.instant();
        for event in events {
            let position = event.position;
            let key = event.entry.message.head.key.clone().filter(|_| self.ordered);
            let (redelivered, event) = (position <= self.seen_before, Some(Box::new(event)));
            let (attempt, first, unnoted, place) = (1, None, false, Place::Waits);
            let item = Item { key, attempt, first, redelivered, unnoted, place, since, event };
            self.loose.insert(position);
            self.place(position, item);
        }
        self.looked = self.looked.max(next);
    }

    /// Takes in one that has a row.
    fn enter(&mut self, kept: Kept) {
        let Kept { position, key, attempt, first, due, standing } = kept;
        let now = self.clock.now();
        let due = due.duration_since(now).ok().filter(|wait| !wait.is_zero());
        let place = due.map_or(Place::Waits, |wait| Place::Delayed(end_of(wait, self.clock.instant())));
        // The row may be older than the first sight of it.
        let seen = position <= self.seen_before || standing == Standing::Back;
        let redelivered = seen || first.is_some() || attempt > 1;
        let since = self.clock.instant();
        let (unnoted, event) = (false, None);
        self.place(position, Item { key, attempt, first, redelivered, unnoted, place, since, event });
    }

    /// Takes in those that were put back.
    pub(super) fn come_back(&mut self, kept: Vec<Kept>) {
        for kept in kept {
            if !self.items.contains_key(&kept.position) {
                let waits = Kept { standing: Standing::Waits, ..kept.clone() };
                self.changes.insert(kept.position, Some(waits));
                self.enter(kept);
            }
        }
    }

    fn place(&mut self, position: Position, mut item: Item) {
        let place = item.place;
        let free = match item.key.as_deref().filter(|_| self.ordered) {
            Some(key) => self.lanes.arrive(key, position).is_some(),
            None => true,
        };
        if !free {
            // It may wait for long.
            item.event = None;
        }
        self.items.insert(position, item);
        if free {
            self.line_up(position, place);
        }
    }

    fn line_up(&mut self, position: Position, place: Place) {
        match place {
            Place::Delayed(due) => drop(self.delayed.insert((due, position))),
            _ => self.ready.push_back(position),
        }
    }

    /// Takes at most so many that may be handed out.
    pub(super) fn take(&mut self, room: usize) -> Vec<Taken> {
        let now = self.clock.instant();
        if self.lost.is_none() || now >= self.until {
            return Vec::new();
        }
        while let Some((_, position)) = self.delayed.first().copied().filter(|(due, _)| *due <= now) {
            self.delayed.pop_first();
            self.ready.push_back(position);
        }
        let count = room.min(self.ready.len());
        let taken: Vec<Position> = self.ready.drain(..count).collect();
        let take = |position: Position| {
            let item = self.items.get_mut(&position)?;
            item.place = Place::Taken;
            Some((position, item.event.take()))
        };
        taken.into_iter().filter_map(take).collect()
    }

    /// Was not handed out after all.
    pub(super) fn untake(&mut self, position: Position) {
        if let Some(item) = self.items.get_mut(&position).filter(|item| item.place == Place::Taken) {
            item.place = Place::Waits;
            self.ready.push_front(position);
        }
    }

    /// Hands it out, if it was taken and is still this reader's.
    pub(super) fn hand_out(&mut self, position: Position) -> Option<Handed> {
        let lost = self.lost.clone()?;
        let item = self.items.get_mut(&position).filter(|item| item.place == Place::Taken)?;
        self.tags += 1;
        item.place = Place::Out(self.tags);
        let redelivered = std::mem::replace(&mut item.redelivered, true);
        item.unnoted |= item.first.is_none();
        let first = *item.first.get_or_insert_with(|| self.clock.now());
        Some(Handed { tag: self.tags, attempt: item.attempt, redelivered, first: Some(first), lost })
    }

    /// One that was taken needs no handler.
    pub(super) fn pass_by(&mut self, position: Position) {
        if self.items.get(&position).is_some_and(|item| item.place == Place::Taken) {
            self.done(position);
        }
    }

    /// Does with what was handed out what its consumer decided.
    pub(super) fn settle(&mut self, position: Position, tag: u64, settlement: Settlement) -> Result<Settled, Lost> {
        let Some(lost) = self.lost.clone() else { return Err(Lost) };
        let Some(item) = self.items.get_mut(&position).filter(|item| item.place == Place::Out(tag)) else {
            return Err(Lost);
        };
        self.settled = self.settled.max(position);
        match settlement {
            Settlement::Ack => {
                self.done(position);
                return Ok(Settled::Now);
            }
            Settlement::Release => {
                item.place = Place::Waits;
                self.ready.push_front(position);
                return Ok(Settled::Now);
            }
            Settlement::Retry { after } => {
                let due = end_of(after, self.clock.instant());
                item.attempt = item.attempt.saturating_add(1);
                item.place = Place::Delayed(due);
                self.delayed.insert((due, position));
                self.keep(position, Standing::Waits);
            }
            Settlement::DeadLetter(reason) => {
                item.place = Place::Dying;
                let reason = serde_json::to_string(&reason).expect("a reason has a JSON form");
                self.keep(position, Standing::Dead(reason));
            }
        }
        Ok(Settled::After(self.batches + 1, lost))
    }

    /// It is done with.
    fn done(&mut self, position: Position) {
        let has_row = !self.loose.remove(&position);
        if has_row {
            self.changes.insert(position, None);
        }
        self.settled = self.settled.max(position);
        self.leave(position);
    }

    fn leave(&mut self, position: Position) {
        let Some(Item { key: Some(key), .. }) = self.items.remove(&position) else { return };
        self.lanes.leave(&key);
        while let Some(next) = self.lanes.ready() {
            let place = self.items.get(&next).map_or(Place::Waits, |item| item.place);
            self.line_up(next, place);
        }
    }

    /// Has it written down.
    fn keep(&mut self, position: Position, standing: Standing) {
        let Some(item) = self.items.get_mut(&position) else { return };
        item.unnoted = false;
        let due = match item.place {
            Place::Delayed(due) => self.clock.wall(due),
            _ => SystemTime::UNIX_EPOCH,
        };
        let attempt = item.attempt;
        let kept = Kept { key: item.key.clone(), first: item.first, due, standing, ..Kept::new(position, attempt) };
        self.changes.insert(position, Some(kept));
        self.loose.remove(&position);
    }

    /// What the next transaction notes; all there is, if it is the last.
    pub(super) fn batch(&mut self, is_last: bool) -> Batch {
        self.write_down(is_last);
        self.batches += 1;
        let to = self.loose.first().map_or(self.looked, |first| before(*first));
        let mut batch = Batch { number: self.batches, done: Vec::new(), kept: Vec::new(), to };
        for (position, change) in std::mem::take(&mut self.changes) {
            match change {
                Some(kept) => batch.kept.push(kept),
                None => batch.done.push(position),
            }
        }
        batch
    }

    /// Gives rows to those that keep the mark from passing what has one, or for too long from passing what is settled; at
    /// the end also to those that somebody has seen.
    fn write_down(&mut self, is_last: bool) {
        let last_row = self.changes.iter().rfind(|(_, change)| change.is_some()).map(|(position, _)| *position);
        let last_row = last_row.unwrap_or(Position::START);
        let last_old = if is_last {
            let seen = self.items.iter().rfind(|(_, item)| item.first.is_some()).map(|(position, _)| *position);
            seen.unwrap_or(Position::START).max(self.settled)
        } else {
            let old = self.loose.range(..=self.settled).rfind(|position| self.is_old(**position)).copied();
            old.unwrap_or(Position::START)
        };
        // Whatever is before a row has one.
        let in_the_way: Vec<Position> = self.loose.range(..=last_row.max(last_old)).copied().collect();
        let seen_since =
            self.items.iter().filter(|(position, item)| is_last && item.is_seen_since(**position, &self.loose));
        let seen_since: Vec<Position> = seen_since.map(|(position, _)| *position).collect();
        for position in in_the_way.into_iter().chain(seen_since) {
            self.keep(position, Standing::Waits);
        }
    }

    /// Is there something for a transaction to note?
    pub(super) fn is_dirty(&self) -> bool {
        let Some(first) = self.loose.first() else { return !self.changes.is_empty() || self.looked > self.mark };
        let is_in_the_way = *first < self.settled && self.is_old(*first);
        !self.changes.is_empty() || before(*first) > self.mark || is_in_the_way
    }

    fn is_old(&self, position: Position) -> bool {
        self.items.get(&position).is_some_and(|item| item.since + PATIENCE <= self.clock.instant())
    }

    /// May something be handed out, or read, that could not be before?
    pub(super) fn is_worth_a_look(&self) -> bool {
        !self.ready.is_empty() || !self.delayed.is_empty() || self.items.len() + 1 == MOST
    }

    /// A transaction has noted this.
    pub(super) fn noted(&mut self, batch: &Batch) {
        self.mark = batch.to;
        for kept in &batch.kept {
            let is_dead = matches!(kept.standing, Standing::Dead(_));
            if is_dead && self.items.get(&kept.position).is_some_and(|item| item.place == Place::Dying) {
                self.leave(kept.position);
            }
        }
    }

    /// A transaction has not noted this, or nobody knows: the next one does.
    pub(super) fn not_noted(&mut self, Batch { done, kept, .. }: Batch) {
        for position in done {
            self.changes.entry(position).or_insert(None);
        }
        for kept in kept {
            self.changes.entry(kept.position).or_insert(Some(kept));
        }
    }
}

/// The place before this one.
pub(super) fn before(position: Position) -> Position {
    Position::in_epoch(position.epoch(), position.number().saturating_sub(1))
}

/// When a delay that begins now has passed.
fn end_of(delay: Duration, now: Instant) -> Instant {
    now.checked_add(delay).unwrap_or(now + NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::Payload,
        envelope::{Head, Message},
        event::Encoding,
        store::{Entry, StreamId, Version},
        transport::{Reason, ReasonKind},
    };

    const EVENTS: u64 = 60;
    const KEYS: u64 = 4;

    /// What a database has of the queue.
    #[derive(Default)]
    struct Database {
        mark: Position,
        rows: BTreeMap<Position, Kept>,
    }

    impl Database {
        fn take(&mut self, batch: &Batch) {
            batch.done.iter().for_each(|position| drop(self.rows.remove(position)));
            self.rows.extend(batch.kept.iter().map(|kept| (kept.position, kept.clone())));
            assert!(batch.to >= self.mark, "the mark never goes back");
            self.mark = batch.to;
            let last = self.rows.last_key_value().map(|(position, _)| *position);
            assert!(last.is_none_or(|last| last <= self.mark), "a row is behind the mark");
        }

        fn waiting(&self) -> Vec<Kept> {
            self.rows.values().filter(|kept| kept.standing == Standing::Waits).cloned().collect()
        }
    }

    fn event(number: u64) -> Recorded {
        let payload = Payload { encoding: Encoding::Json, bytes: "{}".into() };
        let head = Head::new().event("e").key(format!("k-{}", number % KEYS));
        let (stream, entry) = (StreamId::new("s").expect("a name"), Entry::new(Message::new(head, payload), 1, None));
        Recorded::new(Position::new(number), stream, Version::new(number), entry)
    }

    fn until() -> Instant {
        Instant::now() + NEVER
    }

    /// What happened to each event, over all readers.
    #[derive(Default)]
    struct Told {
        acked: BTreeSet<u64>,
        dead: BTreeSet<u64>,
        attempts: BTreeMap<u64, u32>,
    }

    /// One reader after the other reads a queue; transactions fail, and readers end, at any moment.
    async fn walk(seed: u64, ordered: bool) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let clock = Clock::system();
        let (mut database, mut told) = (Database::default(), Told::default());
        let mut state = State::new(ordered, clock);
        state.begin(until(), (Position::START, Position::START), Vec::new());
        let mut out: Vec<(u64, u64)> = Vec::new();
        for step in 0.. {
            assert!(step < 100_000, "it comes to an end");
            tokio::time::advance(Duration::from_millis(rng.u64(0..400))).await;
            match rng.u32(0..10) {
                0 if state.has_room() => {
                    let (from, to) = (state.looked.number() + 1, (state.looked.number() + rng.u64(1..8)).min(EVENTS));
                    state.arrive((from..=to).map(event).collect(), Position::new(to.max(from - 1)));
                }
                1..4 => {
                    for (position, _) in state.take(rng.usize(1..5)) {
                        if rng.u8(0..10) == 0 {
                            state.untake(position);
                            continue;
                        }
                        let handed = state.hand_out(position).expect("it is this reader's");
                        let number = position.number();
                        assert!(!told.dead.contains(&number), "{number} was given up on, and that was noted");
                        let before = told.attempts.insert(number, handed.attempt).unwrap_or(1);
                        assert!((1..=before + 1).contains(&handed.attempt), "attempts are counted");
                        let same = |(other, _): &(u64, u64)| ordered && other % KEYS == number % KEYS;
                        assert!(!out.iter().any(same), "one of a key is out");
                        out.push((number, handed.tag));
                    }
                }
                4..8 if !out.is_empty() => {
                    let (number, tag) = out.swap_remove(rng.usize(0..out.len()));
                    let settlement = match rng.u8(0..8) {
                        0 | 1 => Settlement::Retry { after: Duration::from_millis(rng.u64(0..3000)) },
                        2 => Settlement::Release,
                        3 => Settlement::DeadLetter(Reason::new(ReasonKind::Permanent, "", 1, clock.now())),
                        _ => {
                            told.acked.insert(number);
                            Settlement::Ack
                        }
                    };
                    assert!(state.settle(Position::new(number), tag, settlement).is_ok());
                    let again = state.settle(Position::new(number), tag, Settlement::Ack);
                    assert!(again.is_err(), "settled once");
                }
                8 => {
                    let batch = state.batch(false);
                    match rng.u8(0..4) {
                        0 => state.not_noted(batch),
                        // Noted, and the answer was lost.
                        1 => {
                            database.take(&batch);
                            state.not_noted(batch);
                        }
                        _ => {
                            database.take(&batch);
                            state.noted(&batch);
                        }
                    }
                    let dead = database.rows.values().filter(|kept| matches!(kept.standing, Standing::Dead(_)));
                    told.dead.extend(dead.map(|kept| kept.position.number()));
                }
                9 if rng.u8(0..12) == 0 => {
                    state.lose();
                    for (number, tag) in out.drain(..) {
                        let late = state.settle(Position::new(number), tag, Settlement::Ack);
                        assert!(late.is_err(), "it is somebody else's");
                    }
                    state.begin(until(), (database.mark, Position::START), database.waiting());
                }
                _ => {}
            }
            if database.mark == Position::new(EVENTS) && database.waiting().is_empty() && !state.is_dirty() {
                break;
            }
        }
        let all: BTreeSet<u64> = told.acked.union(&told.dead).copied().collect();
        assert_eq!(all, (1..=EVENTS).collect(), "seed {seed}: each is done or dead");
    }

    #[tokio::test(start_paused = true)]
    async fn d1_d4_whatever_fails_each_event_is_done_or_dead_and_what_has_a_row_is_behind_the_mark() {
        for seed in 0..150 {
            walk(seed, seed % 2 == 0).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn d4_what_had_a_row_before_it_was_handed_out_says_that_it_comes_again() {
        for (seen_before, again) in [(Position::new(2), true), (Position::START, false)] {
            let mut state = State::new(true, Clock::system());
            let kept = Kept::new(Position::new(1), 1);
            state.begin(until(), (Position::new(2), seen_before), vec![kept]);
            let taken = state.take(1).into_iter().map(|(at, _)| state.hand_out(at).expect("ours").redelivered);
            assert_eq!(taken.collect::<Vec<_>>(), [again], "{seen_before}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn d4_a_row_says_at_the_end_what_was_handed_out_since_it_was_written() {
        let mut state = State::new(true, Clock::system());
        state.begin(until(), (Position::new(1), Position::START), vec![Kept::new(Position::new(1), 1)]);
        let (at, _) = state.take(1).remove(0);
        let tag = state.hand_out(at).expect("ours").tag;
        assert!(state.settle(at, tag, Settlement::Release).is_ok());
        let batch = state.batch(true);
        assert!(batch.kept.len() == 1 && batch.kept[0].first.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn l2_nobody_waits_for_a_delay_that_is_over_once_the_hold_is() {
        let (hold, now) = (Duration::from_secs(3), Instant::now());
        let mut state = State::new(false, Clock::system());
        let later = Kept { due: SystemTime::now() + Duration::from_secs(1), ..Kept::new(Position::new(1), 2) };
        state.begin(now + hold, (Position::new(1), Position::START), vec![later]);
        assert!(state.earliest().is_some());
        tokio::time::advance(hold).await;
        assert_eq!((state.take(1).len(), state.earliest()), (0, None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_takes_long_gets_a_row_so_that_the_mark_goes_on() {
        let mut state = State::new(false, Clock::system());
        state.begin(until(), (Position::START, Position::START), Vec::new());
        state.arrive((1..=3).map(event).collect(), Position::new(3));
        let tags: Vec<u64> = state.take(3).into_iter().map(|(at, _)| state.hand_out(at).expect("ours").tag).collect();
        for number in [2, 3] {
            assert!(state.settle(Position::new(number), tags[number as usize - 1], Settlement::Ack).is_ok());
        }
        assert!(!state.is_dirty(), "the first may be done soon");
        tokio::time::advance(PATIENCE).await;
        assert!(state.is_dirty());
        let batch = state.batch(false);
        assert_eq!((batch.to, batch.kept.len(), batch.kept[0].position), (Position::new(3), 1, Position::new(1)));
        state.noted(&batch);
        assert!(state.settle(Position::new(1), tags[0], Settlement::Ack).is_ok());
        assert_eq!(state.batch(false).done, [Position::new(1)]);
    }
}
