//! What one queue has given up on; the queues of instances share theirs. Called by the state alone.

use std::collections::VecDeque;

use super::entry::Entry;
use crate::transport::{DeadLetter, Reason};

/// The dead letters of one queue, oldest first.
#[derive(Debug)]
pub(super) struct DeadLetters {
    /// The most of them that are taken.
    pub(super) capacity: usize,
    letters: VecDeque<Kept>,
    latest: u64,
}

/// One of them, with its number: later ones have higher ones.
#[derive(Debug)]
struct Kept {
    number: u64,
    entry: Entry,
    reason: Reason,
}

impl Kept {
    fn shown(&self) -> DeadLetter {
        let message = &self.entry.message;
        DeadLetter::new(Some(message.id.clone()), message.sealed.clone(), self.reason.clone())
    }
}

impl DeadLetters {
    /// None yet.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, letters: VecDeque::new(), latest: 0 }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.letters.len()
    }

    /// The number of the latest that there was.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// Is there room for one more?
    pub(super) fn has_room(&self) -> bool {
        self.count() < self.capacity
    }

    /// Keeps one more. The caller has seen that there is room.
    pub(super) fn keep(&mut self, entry: Entry, reason: Reason) {
        self.latest += 1;
        self.letters.push_back(Kept { number: self.latest, entry, reason });
    }

    /// Takes one out, if it is still here.
    pub(super) fn take(&mut self, number: u64) -> Option<Entry> {
        let place = self.letters.binary_search_by_key(&number, |kept| kept.number).ok()?;
        self.letters.remove(place).map(|kept| kept.entry)
    }

    /// The oldest, at most `limit`; they stay.
    pub(super) fn look(&self, limit: usize) -> Vec<DeadLetter> {
        self.letters.iter().take(limit).map(Kept::shown).collect()
    }

    /// The oldest with a higher number than that, at most `limit`; they stay.
    pub(super) fn behind(&self, number: u64, limit: usize) -> Vec<(u64, DeadLetter)> {
        let first = self.letters.partition_point(|kept| kept.number <= number);
        self.letters.range(first..).take(limit).map(|kept| (kept.number, kept.shown())).collect()
    }
}
