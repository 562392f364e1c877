//! Timeouts that are kept: what can be cancelled.

use std::collections::BTreeMap;

use tegami::{
    envelope::MessageId,
    outbox::{Row, Timeout},
};
use tokio::time::Instant;

use super::rows;

/// What a transaction does with timeouts.
pub enum Deed {
    Set { owner: String, row: Box<Row>, due: Instant },
    Cancel { owner: String, event: Option<String> },
    End { owner: String, id: MessageId },
}

/// Every timeout that was not handled.
#[derive(Default)]
pub struct Timeouts(BTreeMap<String, Kept>);

struct Kept {
    owner: String,
    event: String,
    /// That of the letter.
    number: u64,
    cancelled: bool,
}

impl Timeouts {
    /// What it is to this owner.
    pub fn known(&self, owner: &str, id: &MessageId) -> Timeout {
        match self.0.get(id.as_str()).filter(|kept| kept.owner == owner) {
            None => Timeout::None,
            Some(kept) if kept.cancelled => Timeout::Cancelled,
            Some(_) => Timeout::Due,
        }
    }

    pub fn set(&mut self, owner: &str, row: &Row) {
        let (owner, event) = (owner.to_owned(), row.outgoing.event.to_string());
        let kept = Kept { owner, event, number: rows::number(row), cancelled: false };
        self.0.insert(row.outgoing.id.to_string(), kept);
    }

    pub fn end(&mut self, owner: &str, id: &MessageId) {
        self.0.retain(|known, kept| known != id.as_str() || kept.owner != owner);
    }

    /// The ids of those that this owner has, of one event or all.
    pub fn of(&self, owner: &str, event: Option<&str>) -> Vec<String> {
        let mine = |kept: &Kept| kept.owner == owner && event.is_none_or(|event| event == kept.event);
        self.0.iter().filter(|(_, kept)| mine(kept)).map(|(id, _)| id.clone()).collect()
    }

    /// The number of its letter.
    pub fn number(&self, id: &str) -> Option<u64> {
        self.0.get(id).map(|kept| kept.number)
    }

    /// Is cancelled; forgotten, if nobody can have sent it. Was it not cancelled before?
    pub fn cancel(&mut self, id: &str, unsent: bool) -> bool {
        if unsent {
            return self.0.remove(id).is_some_and(|kept| !kept.cancelled);
        }
        self.0.get_mut(id).is_some_and(|kept| !std::mem::replace(&mut kept.cancelled, true))
    }
}
