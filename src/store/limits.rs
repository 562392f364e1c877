//! How large what is appended may be: checked before a store is asked.

use std::collections::BTreeSet;

use super::{Append, Criterion, Entry, Query, StoreError, StoreErrorKind};

/// The longest name of a stream, in characters.
pub(super) const STREAM: usize = 128;
/// The most events of one append.
const EVENTS: usize = 1_000;
/// The largest event with all that is kept beside it, in bytes.
const EVENT: usize = 1024 * 1024;
/// The largest append, in bytes.
const APPEND: usize = 16 * 1024 * 1024;
/// The most pairs beside an event.
const PAIRS: usize = 64;
/// The longest name beside an event, in bytes.
const NAME: usize = 128;
/// The longest value beside an event, in bytes; its key too.
const VALUE: usize = 4 * 1024;
/// The most criteria of a query, and the most events and tags of a criterion.
const CRITERIA: usize = 32;
/// The most bytes of events that one read should bring.
pub(crate) const READ: usize = 16 * 1024 * 1024;
/// How many bytes of events excuse a read that brings fewer of them than were asked for. A store may count them as it has
/// written them: a character is up to six bytes of JSON, and there are names and brackets beside.
pub(super) const SHORT: usize = READ / 8;

impl Append {
    /// Is this what a store can take? Each implementation of [`EventStore::append`](super::EventStore::append) asks it
    /// first.
    ///
    /// # Errors
    /// `Invalid`: no events, or one without an id or a time. `Duplicate`: two with one id. `TooLarge`: more than 1000 events or 16 MiB; an event of more
    /// than 1 MiB, or with more than 64 attributes, a name of more than 128 bytes or a value of more than 4 KiB.
    pub fn check(&self) -> Result<(), StoreError> {
        let whole = || format!("the append to stream `{}`", self.stream);
        if self.entries.is_empty() {
            return Err(StoreError::new(StoreErrorKind::Invalid, format!("{} has no events", whole())));
        }
        within(self.entries.len(), EVENTS, "events", whole)?;
        let mut all = 0;
        let mut ids = BTreeSet::new();
        for entry in &self.entries {
            all += checked(entry)?;
            if let Some(id) = entry.message.head.id.as_ref().filter(|id| !ids.insert(id.as_str())) {
                let text = format!("{} has message `{id}` twice", whole());
                return Err(StoreError::new(StoreErrorKind::Duplicate, text));
            }
        }
        within(all, APPEND, "bytes", whole)?;
        self.unless.as_ref().map_or(Ok(()), |unless| unless.query.check())
    }
}

/// The size of an event that is within the limits.
fn checked(entry: &Entry) -> Result<usize, StoreError> {
    let event = || format!("event `{}`", entry.name());
    let head = &entry.message.head;
    if head.id.is_none() || head.time.is_none() {
        let text = format!("{} has no id or no time: append through `Store`, which gives it both", event());
        return Err(StoreError::new(StoreErrorKind::Invalid, text));
    }
    within(head.attributes.len(), PAIRS, "attributes", event)?;
    for (name, value) in head.attributes.iter() {
        within(name.len(), NAME, "bytes in an attribute's name", event)?;
        within(value.text().len(), VALUE, "bytes in an attribute's value", event)?;
    }
    within(head.key.as_ref().map_or(0, String::len), VALUE, "bytes in its key", event)?;
    let size = entry.size();
    within(size, EVENT, "bytes", event)?;
    Ok(size)
}

impl Query {
    /// Can this be asked?
    ///
    /// # Errors
    /// `Invalid`: a criterion asks for a tag that none of its events declares; or there are more than 32 criteria, or more
    /// than 32 events or tags in one. What upcasts have added to it is not counted.
    pub fn check(&self) -> Result<(), StoreError> {
        let invalid = |text: String| StoreError::new(StoreErrorKind::Invalid, text);
        let most = self.given().map(|criterion| criterion.events.len().max(criterion.tags.len())).max();
        let most = most.unwrap_or_default().max(self.given().count());
        if most > CRITERIA {
            let text =
                format!("a query has {most} criteria, or events or tags in one of them; the limit is {CRITERIA}");
            return Err(invalid(text));
        }
        self.given().find_map(Criterion::mistake).map_or(Ok(()), |text| Err(invalid(text)))
    }
}

fn within(size: usize, limit: usize, what: &str, whose: impl Fn() -> String) -> Result<(), StoreError> {
    if size <= limit {
        return Ok(());
    }
    let text = format!("{} has {size} {what}, the limit is {limit}", whose());
    Err(StoreError::new(StoreErrorKind::TooLarge, text))
}
