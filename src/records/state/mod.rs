//! A queue as its reader knows it, as a pure state machine: no clock, no task, no waiting.
//!
//! Up to the mark, every event is done with or kept in a row; what is behind the mark has no row. So whoever begins at
//! the mark, with the rows, has it all.

mod item;

pub(super) use item::{Batch, Effect, Handed, Lost, Rules, Taken};

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::item::{Item, Place};
use super::queues::{Kept, Standing};
use crate::{
    store::{Position, Recorded},
    time::{Clock, NEVER},
    transport::{Settlement, lanes::Lanes},
};

/// How many events may be begun and not done, before no more are read.
pub(super) const MOST: usize = 100_000;
/// How long an event has all others wait that may be what ended an earlier process.
const TURN: Duration = Duration::from_secs(5);
/// How long an event keeps the mark from moving, before it gets a row.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a reader has of its queue, for as long as it has the queue.
pub(super) struct State {
    rules: Rules,
    clock: Clock,
    /// Does this reader have the queue? Set once it does not any more.
    pub(in crate::records) lost: Option<CancellationToken>,
    /// Nobody else has it before.
    pub(in crate::records) until: Instant,
    /// As the database has it.
    pub(in crate::records) mark: Position,
    /// Up to where events were read.
    pub(in crate::records) looked: Position,
    /// Up to here, somebody may have seen what is read, and may have ended by it.
    seen_before: Position,
    items: BTreeMap<Position, Item>,
    ready: VecDeque<Position>,
    /// Those that were begun, and may have ended who had them.
    suspects: BTreeSet<Position>,
    /// Those of them that may be handed out, each alone.
    turns: VecDeque<Position>,
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

impl State {
    pub(in crate::records) fn new(rules: Rules, clock: Clock) -> Self {
        Self {
            rules,
            clock,
            lost: None,
            until: clock.instant(),
            mark: Position::START,
            looked: Position::START,
            seen_before: Position::START,
            items: BTreeMap::new(),
            ready: VecDeque::new(),
            suspects: BTreeSet::new(),
            turns: VecDeque::new(),
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
    pub(in crate::records) fn begin(
        &mut self,
        until: Instant,
        (mark, seen_before): (Position, Position),
        kept: Vec<Kept>,
    ) {
        let (tags, batches, lost) = (self.tags, self.batches, Some(CancellationToken::new()));
        let new = Self::new(self.rules, self.clock);
        *self = Self { lost, until, mark, looked: mark, seen_before, settled: mark, tags, batches, ..new };
        for kept in kept {
            self.enter(kept);
        }
    }

    /// The queue is somebody else's, or may be.
    pub(in crate::records) fn lose(&mut self) {
        if let Some(lost) = self.lost.take() {
            lost.cancel();
        }
        let (tags, batches) = (self.tags, self.batches);
        *self = Self { tags, batches, ..Self::new(self.rules, self.clock) };
    }

    /// How many events may have ended who had them.
    pub(in crate::records) fn suspects(&self) -> usize {
        self.suspects.len()
    }

    /// Are there events, here or not read yet, that an earlier reader may have handed out, and of which no row says so?
    pub(in crate::records) fn knows_of_more(&self) -> bool {
        let is_known_here_alone = |item: &Item| item.redelivered && item.first.is_none();
        self.looked < self.seen_before || self.items.values().any(is_known_here_alone)
    }

    /// Is there room to read more?
    pub(in crate::records) fn has_room(&self) -> bool {
        self.lost.is_some() && self.ready.is_empty() && self.turns.is_empty() && self.items.len() < MOST
    }

    /// How many of those that were put back there is room for.
    pub(in crate::records) fn room(&self) -> usize {
        MOST.saturating_sub(self.items.len())
    }

    /// Is something handed out, or on its way?
    pub(in crate::records) fn is_out(&self) -> bool {
        self.items.values().any(|item| item.out_since().is_some() || item.place == Place::Dying)
    }

    /// When something may be handed out that may not be now; none, once nothing may be.
    pub(in crate::records) fn earliest(&self) -> Option<Instant> {
        if self.lost.is_none() || self.clock.instant() >= self.until {
            return None;
        }
        let due = self.delayed.first().map(|(due, _)| *due);
        let is_waited_for = !self.ready.is_empty() || !self.turns.is_empty();
        let turn = is_waited_for.then(|| self.others_wait_until(self.clock.instant())).flatten();
        due.into_iter().chain(turn).min()
    }

    /// Until when nothing is handed out: an event that may end the process is out, or waits until it would be alone.
    fn others_wait_until(&self, now: Instant) -> Option<Instant> {
        let end = |item: &Item| item.out_since().map(|since| since + TURN).filter(|end| *end > now);
        match self.turns.is_empty() {
            true => self.suspects.iter().filter_map(|position| self.items.get(position)).filter_map(end).max(),
            false => self.items.values().filter_map(end).max(),
        }
    }

    /// Takes in events that were read behind the last ones, those that are wanted; all up to `next` were looked at.
    pub(in crate::records) fn arrive(&mut self, events: Vec<Recorded>, next: Position) {
        let since = self.clock.instant();
        for event in events {
            let position = event.position;
            let key = event.entry.message.head.key.clone().filter(|_| self.rules.ordered);
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
        let seen = position <= self.seen_before || standing != Standing::Waits;
        let redelivered = seen || first.is_some() || attempt > 1;
        if standing == Standing::Begun {
            self.suspects.insert(position);
        }
        let since = self.clock.instant();
        let (unnoted, event) = (false, None);
        self.place(position, Item { key, attempt, first, redelivered, unnoted, place, since, event });
    }

    /// Takes in those that were put back.
    pub(in crate::records) fn come_back(&mut self, kept: Vec<Kept>) {
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
        let free = match item.key.as_deref().filter(|_| self.rules.ordered) {
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
            _ if self.suspects.contains(&position) => self.turns.push_back(position),
            _ => self.ready.push_back(position),
        }
    }

    /// Takes at most so many that may be handed out, and says when they may: those that may end the process once a row
    /// says that they were begun, and alone, if they may have ended one before.
    pub(in crate::records) fn take(&mut self, room: usize) -> (Vec<Taken>, Effect) {
        let now = self.clock.instant();
        let Some(lost) = self.lost.clone().filter(|_| now < self.until) else { return (Vec::new(), Effect::Now) };
        while let Some((_, position)) = self.delayed.first().copied().filter(|(due, _)| *due <= now) {
            self.delayed.pop_first();
            self.line_up(position, Place::Waits);
        }
        if self.others_wait_until(now).is_some() {
            return (Vec::new(), Effect::Now);
        }
        let chosen: Vec<Position> = match self.turns.pop_front() {
            Some(suspect) => vec![suspect],
            None => self.ready.drain(..room.min(self.ready.len())).collect(),
        };
        let taken: Vec<Taken> = chosen.into_iter().filter_map(|position| self.taken(position, now)).collect();
        let is_noted = taken.iter().any(|taken| !taken.is_over && self.is_watched(taken.position));
        (taken, if is_noted { Effect::After(self.batches + 1, lost) } else { Effect::Now })
    }

    fn taken(&mut self, position: Position, now: Instant) -> Option<Taken> {
        let (is_over, is_watched) = (self.is_over(position), self.is_watched(position));
        let item = self.items.get_mut(&position)?;
        item.place = Place::Taken(now);
        let event = item.event.take();
        if is_watched && !is_over {
            item.first.get_or_insert_with(|| self.clock.now());
            self.keep(position, Standing::Begun);
        }
        Some(Taken { position, event, is_over })
    }

    /// Was it begun as often as it may be?
    fn is_over(&self, position: Position) -> bool {
        let attempt = self.items.get(&position).filter(|_| self.suspects.contains(&position)).map(|item| item.attempt);
        attempt.zip(self.rules.limit).is_some_and(|(next, limit)| next > limit)
    }

    /// May it be what ended an earlier process?
    fn is_watched(&self, position: Position) -> bool {
        position <= self.seen_before || self.suspects.contains(&position)
    }

    /// Was not handed out after all.
    pub(in crate::records) fn untake(&mut self, position: Position) {
        if self.items.get(&position).is_some_and(Item::is_taken) {
            self.wait_again(position);
        }
    }

    /// It is the next one, as the attempt that it was.
    fn wait_again(&mut self, position: Position) {
        let is_suspect = self.suspects.contains(&position);
        if let Some(item) = self.items.get_mut(&position) {
            item.place = Place::Waits;
        }
        if self.is_watched(position) && !self.loose.contains(&position) {
            self.keep(position, if is_suspect { Standing::Begun } else { Standing::Waits });
        }
        if is_suspect { self.turns.push_front(position) } else { self.ready.push_front(position) }
    }

    /// Hands it out, if it was taken and is still this reader's.
    pub(in crate::records) fn hand_out(&mut self, position: Position) -> Option<Handed> {
        let (lost, is_over) = (self.lost.clone()?, self.is_over(position));
        let item = self.items.get_mut(&position)?;
        let Place::Taken(since) = item.place else { return None };
        self.tags += 1;
        item.place = Place::Out(self.tags, since);
        // The one before was the last.
        item.attempt -= u32::from(is_over);
        let redelivered = std::mem::replace(&mut item.redelivered, true);
        item.unnoted |= item.first.is_none();
        let first = *item.first.get_or_insert_with(|| self.clock.now());
        Some(Handed { tag: self.tags, attempt: item.attempt, redelivered, first: Some(first), lost })
    }

    /// One that was taken needs no handler.
    pub(in crate::records) fn pass_by(&mut self, position: Position) {
        if self.items.get(&position).is_some_and(Item::is_taken) {
            self.done(position);
        }
    }

    /// Does with what was handed out what its consumer decided.
    pub(in crate::records) fn settle(
        &mut self,
        position: Position,
        tag: u64,
        settlement: Settlement,
    ) -> Result<Effect, Lost> {
        let Some(lost) = self.lost.clone() else { return Err(Lost) };
        let is_its = |item: &&mut Item| matches!(item.place, Place::Out(own, _) if own == tag);
        let Some(item) = self.items.get_mut(&position).filter(is_its) else { return Err(Lost) };
        self.settled = self.settled.max(position);
        match settlement {
            Settlement::Ack => {
                self.done(position);
                return Ok(Effect::Now);
            }
            Settlement::Release => {
                self.wait_again(position);
                return Ok(Effect::Now);
            }
            Settlement::Retry { after } => {
                let due = end_of(after, self.clock.instant());
                item.attempt = item.attempt.saturating_add(1);
                item.place = Place::Delayed(due);
                self.delayed.insert((due, position));
                self.suspects.remove(&position);
                self.keep(position, Standing::Waits);
            }
            Settlement::DeadLetter(reason) => {
                item.place = Place::Dying;
                let reason = serde_json::to_string(&reason).expect("a reason has a JSON form");
                self.keep(position, Standing::Dead(reason));
            }
        }
        Ok(Effect::After(self.batches + 1, lost))
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
        self.suspects.remove(&position);
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
        // Whoever finds the row knows that this one did not end.
        let is_counted = item.is_taken() && self.suspects.contains(&position);
        let attempt = item.attempt.saturating_add(u32::from(is_counted));
        let kept = Kept { key: item.key.clone(), first: item.first, due, standing, ..Kept::new(position, attempt) };
        self.changes.insert(position, Some(kept));
        self.loose.remove(&position);
    }

    /// What the next transaction notes; all there is, if it is the last.
    pub(in crate::records) fn batch(&mut self, is_last: bool) -> Batch {
        if is_last {
            // Nobody begins them any more.
            let taken = self.suspects.iter().filter(|position| self.items.get(position).is_some_and(Item::is_taken));
            taken.copied().collect::<Vec<_>>().into_iter().for_each(|position| self.untake(position));
        }
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
        let seen_since = self
            .items
            .iter()
            .filter(|(position, item)| is_last && item.is_seen_since() && !self.loose.contains(position));
        let seen_since: Vec<Position> = seen_since.map(|(position, _)| *position).collect();
        for position in in_the_way.into_iter().chain(seen_since) {
            self.keep(position, Standing::Waits);
        }
    }

    /// Is there something for a transaction to note?
    pub(in crate::records) fn is_dirty(&self) -> bool {
        let Some(first) = self.loose.first() else { return !self.changes.is_empty() || self.looked > self.mark };
        let is_in_the_way = *first < self.settled && self.is_old(*first);
        !self.changes.is_empty() || before(*first) > self.mark || is_in_the_way
    }

    fn is_old(&self, position: Position) -> bool {
        self.items.get(&position).is_some_and(|item| item.since + PATIENCE <= self.clock.instant())
    }

    /// May something be handed out, or read, that could not be before?
    pub(in crate::records) fn is_worth_a_look(&self) -> bool {
        !self.ready.is_empty() || !self.turns.is_empty() || !self.delayed.is_empty() || self.items.len() + 1 == MOST
    }

    /// A transaction has noted this.
    pub(in crate::records) fn noted(&mut self, batch: &Batch) {
        self.mark = batch.to;
        for kept in &batch.kept {
            let is_dead = matches!(kept.standing, Standing::Dead(_));
            if is_dead && self.items.get(&kept.position).is_some_and(|item| item.place == Place::Dying) {
                self.leave(kept.position);
            }
        }
    }

    /// A transaction has not noted this, or nobody knows: the next one does.
    pub(in crate::records) fn not_noted(&mut self, Batch { done, kept, .. }: Batch) {
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
mod tests;
