//! Order per key: behind the first message of a key, the others wait in publish order.
//!
//! A lane exists while one message of its key is under way. Called by the queue alone.

use std::collections::{HashMap, VecDeque};

use super::entry::Entry;

/// The keys under way, each with the messages behind its first.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: HashMap<String, VecDeque<Entry>>,
    behind: usize,
}

impl Lanes {
    /// Lets the entry through if its key is free, else keeps it behind the others.
    pub(super) fn enter(&mut self, entry: Entry) -> Option<Entry> {
        let Some(key) = entry.key() else { return Some(entry) };
        match self.lanes.get_mut(key) {
            Some(lane) => {
                lane.push_back(entry);
                self.behind += 1;
                None
            }
            None => {
                self.lanes.insert(key.to_owned(), VecDeque::new());
                Some(entry)
            }
        }
    }

    /// The key's first message is gone; the next one may go.
    pub(super) fn leave(&mut self, key: &str) -> Option<Entry> {
        let next = self.lanes.get_mut(key)?.pop_front();
        match next {
            Some(_) => self.behind -= 1,
            None => drop(self.lanes.remove(key)),
        }
        next
    }

    /// How many messages wait behind others of their key.
    pub(super) fn behind(&self) -> usize {
        self.behind
    }
}
