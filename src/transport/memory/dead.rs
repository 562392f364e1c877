//! What one queue has given up on; the queues of instances share theirs. Called by the state alone.

use std::collections::VecDeque;

use super::entry::Entry;
use crate::transport::{DeadLetter, Reason};

/// The dead letters of one queue, oldest first.
#[derive(Debug)]
pub(super) struct DeadLetters {
    /// The most of them that are taken.
    pub(super) capacity: usize,
    letters: VecDeque<(Entry, Reason)>,
}

impl DeadLetters {
    /// None yet.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, letters: VecDeque::new() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.letters.len()
    }

    /// Is there room for one more?
    pub(super) fn has_room(&self) -> bool {
        self.count() < self.capacity
    }

    /// Keeps one more. The caller has seen that there is room.
    pub(super) fn keep(&mut self, entry: Entry, reason: Reason) {
        self.letters.push_back((entry, reason));
    }

    /// Takes out the oldest, so many of them.
    pub(super) fn take(&mut self, count: usize) -> Vec<Entry> {
        self.letters.drain(..count).map(|(entry, _)| entry).collect()
    }

    /// The oldest, at most `limit`; they stay.
    pub(super) fn look(&self, limit: usize) -> Vec<DeadLetter> {
        let letters = self.letters.iter().take(limit);
        letters
            .map(|(entry, reason)| {
                let message = &entry.message;
                DeadLetter::new(Some(message.id.clone()), message.sealed.clone(), reason.clone())
            })
            .collect()
    }
}
