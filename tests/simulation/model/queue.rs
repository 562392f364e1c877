//! The reference queue: which message may be handed out when, as which attempt.

use std::{collections::BTreeMap, time::Duration};

use tegami::{Retry, transport::Settlement};

use super::{Checked, ensure, reads::Reads};
use crate::happened::{Handed, Post, Tag};

/// What a subscription asked for.
#[derive(Debug, Clone)]
pub struct QueueFacts {
    pub ordered: bool,
    /// Wants messages from this number on.
    pub from: u64,
    /// Does the broker hold back what is not wanted?
    pub filtered: bool,
    pub retry: Retry,
    pub timeout: Duration,
    pub concurrency: usize,
    /// Are its handlers transactions?
    pub inbox: bool,
    /// Is it fed from the store, and not by the broker?
    pub is_read: bool,
}

impl QueueFacts {
    /// Does the subscription want this message?
    pub fn wants(&self, number: u64) -> bool {
        number >= self.from
    }
}

/// One queue.
pub struct Queue {
    pub facts: QueueFacts,
    /// By the number of the copy.
    pub(super) copies: BTreeMap<u64, Copy>,
    /// What there is besides, if it is fed from the store.
    pub(super) reads: Option<Reads>,
}

/// One message in one queue.
pub(super) struct Copy {
    pub(super) number: u64,
    key: String,
    place: usize,
    pub(super) attempt: u32,
    /// Does a row say that it was begun, in the hands of whoever wrote that?
    pub(super) begun: bool,
    not_before: Duration,
    pub(super) held: Option<Tag>,
    pub(super) seen: bool,
    spoiled: bool,
    pub(super) completed: bool,
    /// The highest attempt so far, and of the one that was put off, until when: these count where the store feeds.
    pub(super) tried: u32,
    pub(super) put_off: (u32, Duration),
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Acked,
    Dead,
}

impl Copy {
    pub(super) fn is_open(&self) -> bool {
        self.fate == Fate::Open
    }

    pub(super) fn is_done(&mut self) {
        self.fate = Fate::Acked;
    }

    pub(super) fn dies(&mut self) {
        self.fate = Fate::Dead;
    }
}

impl Queue {
    pub fn new(facts: QueueFacts) -> Self {
        let reads = facts.is_read.then(Reads::default);
        Self { facts, copies: BTreeMap::new(), reads }
    }

    /// Takes a message in, if it is for this queue.
    pub fn store(&mut self, post: &Post, (copy, spoiled): (u64, bool), now: Duration) {
        let facts = &self.facts;
        if post.ordered != facts.ordered || (facts.filtered && !facts.wants(post.number)) {
            return;
        }
        let (number, place) = (copy, self.copies.len());
        let copy = Copy {
            number: post.number,
            key: post.key.clone(),
            place,
            attempt: 1,
            begun: false,
            not_before: now + post.delay,
            held: None,
            seen: false,
            spoiled,
            completed: false,
            tried: 0,
            put_off: (0, Duration::ZERO),
            fate: Fate::Open,
        };
        self.copies.insert(number, copy);
    }

    /// Hands a message out.
    pub fn hand_out(&mut self, now: Duration, handed: &Handed) -> Checked {
        let Handed { tag, attempt, redelivered, .. } = handed;
        if self.reads.is_some() {
            return self.hand_out_read(now, handed);
        }
        if self.facts.ordered {
            let before = self.open_before(tag.copy);
            ensure!(before.is_none(), "O2: {tag} is handed out before #{}", before.unwrap_or_default());
        }
        let copy = self.copies.get_mut(&tag.copy).ok_or_else(|| format!("D5: {tag} is not for this queue"))?;
        ensure!(copy.number == tag.number, "P9: {tag} has become another message");
        ensure!(copy.fate == Fate::Open, "D2: {tag} was {:?} and is handed out", copy.fate);
        ensure!(copy.held.is_none(), "D3: {tag} is handed out beside {:?}", copy.held);
        ensure!(copy.attempt == *attempt, "D4: {tag} is attempt {attempt}, should be {}", copy.attempt);
        ensure!(*redelivered || !copy.seen, "D4: {tag} was handed out before and does not say so");
        ensure!(now >= copy.not_before, "R3: {tag} comes {:?} early", copy.not_before - now);
        (copy.held, copy.seen) = (Some(*tag), true);
        Ok(())
    }

    /// A handler has done the message.
    pub fn completed(&mut self, tag: Tag) -> Checked {
        if self.facts.ordered {
            let open = self.earlier(tag.copy).find(|copy| copy.fate == Fate::Open && !copy.completed);
            open.map_or(Ok(()), |before| Err(format!("O4: {tag} is completed before #{}", before.number)))?;
        }
        self.copies.get_mut(&tag.copy).ok_or("D5: not for this queue")?.completed = true;
        Ok(())
    }

    /// The message was done before, as this copy or another.
    pub fn is_known(&mut self, tag: Tag) {
        self.copies.get_mut(&tag.copy).into_iter().for_each(|copy| copy.completed = true);
    }

    /// Can nobody read it?
    pub fn is_spoiled(&self, tag: Tag) -> bool {
        self.copies.get(&tag.copy).is_some_and(|copy| copy.spoiled)
    }

    /// A delivery is settled.
    pub fn settle(&mut self, now: Duration, tag: Tag, settlement: &Settlement) -> Checked {
        if self.reads.is_some() {
            return self.settle_read(tag, matches!(settlement, Settlement::Ack));
        }
        let wanted = self.facts.wants(tag.number);
        let copy = self.copies.get_mut(&tag.copy).filter(|copy| copy.held == Some(tag));
        let copy = copy.ok_or_else(|| format!("D2: {tag} is settled by one that does not hold it"))?;
        copy.held = None;
        match settlement {
            Settlement::Ack => {
                ensure!(copy.completed || !wanted, "D2: {tag} is acked, and no handler completed it");
                copy.fate = Fate::Acked;
            }
            Settlement::Retry { after } => (copy.attempt, copy.not_before) = (copy.attempt + 1, now + *after),
            Settlement::Release => {}
            Settlement::DeadLetter(_) => copy.fate = Fate::Dead,
        }
        Ok(())
    }

    /// A delivery comes back as it was.
    pub fn come_back(&mut self, tag: Tag) {
        let held = self.copies.get_mut(&tag.copy).filter(|copy| copy.held == Some(tag));
        held.into_iter().for_each(|copy| copy.held = None);
    }

    /// What a message waits for, if it is not done with.
    pub fn open(&self, number: u64) -> Option<String> {
        let copy = self.copies.values().find(|copy| copy.number == number && copy.fate == Fate::Open)?;
        Some(copy.held.map_or_else(|| "never handed out again".to_owned(), |tag| format!("still in hand ({tag})")))
    }

    /// How many were completed and given up on.
    pub fn figures(&self) -> [usize; 2] {
        let count = |is: fn(&&Copy) -> bool| self.copies.values().filter(is).count();
        [count(|copy| copy.completed), count(|copy| copy.fate == Fate::Dead)]
    }

    /// A message of the same key that was stored before and is not done with.
    fn open_before(&self, copy: u64) -> Option<u64> {
        self.earlier(copy).find(|copy| copy.fate == Fate::Open).map(|copy| copy.number)
    }

    /// Has it given up on a message?
    pub fn is_dead(&self, number: u64) -> bool {
        self.copies.values().any(|copy| copy.number == number && copy.fate == Fate::Dead)
    }

    pub(super) fn earlier(&self, copy: u64) -> impl Iterator<Item = &Copy> {
        let mine = self.copies.get(&copy);
        self.copies.values().filter(move |copy| mine.is_some_and(|m| m.key == copy.key && copy.place < m.place))
    }
}
