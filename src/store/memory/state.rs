//! What the store in memory holds, behind one lock.

use std::collections::HashMap;

use super::super::{
    Append, Appended, Conflict, Page, Position, Query, Recorded, Snapshot, StoreError, StreamId, Unless, Version,
    append::conflict, limits,
};
use crate::envelope::MessageId;

/// All events, in order: that at index `n` has position `n + 1`.
#[derive(Debug, Default)]
pub(super) struct State {
    events: Vec<Recorded>,
    /// The indexes of each stream's events.
    streams: HashMap<StreamId, Vec<usize>>,
    /// The index of each event.
    ids: HashMap<MessageId, usize>,
    snapshots: HashMap<(StreamId, String), Snapshot>,
}

impl State {
    pub(super) fn append(&mut self, append: Append) -> Result<Appended, StoreError> {
        if let Some(before) = self.recorded(&append)? {
            return Ok(before);
        }
        let found = self.version(&append.stream);
        if !append.expected.holds(found) {
            return Err(conflict(&append.stream, Conflict::Version { expected: append.expected, found }));
        }
        if let Some(found) = append.unless.as_ref().and_then(|unless| self.first(unless)) {
            return Err(conflict(&append.stream, Conflict::Query { found }));
        }
        let Append { stream, entries, .. } = append;
        let places = self.streams.entry(stream.clone()).or_default();
        for entry in entries {
            let index = self.events.len();
            self.ids.extend(entry.message.head.id.clone().map(|id| (id, index)));
            places.push(index);
            let (position, version) = (Position::new(index as u64 + 1), Version::new(places.len() as u64));
            self.events.push(Recorded::new(position, stream.clone(), version, entry));
        }
        Ok(Appended::new(Position::new(self.events.len() as u64), Version::new(places.len() as u64)))
    }

    /// Where the events are, if they are all recorded already.
    fn recorded(&self, append: &Append) -> Result<Option<Appended>, StoreError> {
        let ids = append.entries.iter().map(|entry| entry.message.head.id.as_ref());
        let known: Vec<_> = ids.map(|id| self.ids.get(id?).map(|index| &self.events[*index])).collect();
        super::super::append::again(append, &known)
    }

    fn version(&self, stream: &StreamId) -> Version {
        Version::new(self.streams.get(stream).map_or(0, Vec::len) as u64)
    }

    /// Where the first event is that an append must not find.
    fn first(&self, Unless { query, after, .. }: &Unless) -> Option<Position> {
        self.after(*after).iter().find(|recorded| query.matches(&recorded.entry)).map(|recorded| recorded.position)
    }

    fn after(&self, position: Position) -> &[Recorded] {
        let passed = self.events.partition_point(|recorded| recorded.position <= position);
        &self.events[passed..]
    }

    pub(super) fn of_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Vec<Recorded> {
        let indexes = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let passed = usize::try_from(after.number()).map_or(indexes.len(), |passed| passed.min(indexes.len()));
        bounded(indexes[passed..].iter().map(|index| &self.events[*index]), limit).0
    }

    pub(super) fn of_query(&self, query: &Query, after: Position, limit: usize) -> Page {
        let matching = self.after(after).iter().filter(|recorded| query.matches(&recorded.entry));
        let (events, cut) = bounded(matching, limit);
        let end = Position::new(self.events.len() as u64).max(after);
        let next = events.last().filter(|_| cut).map_or(end, |last| last.position);
        Page::new(events, next)
    }

    pub(super) fn snapshot(&self, stream: &StreamId, state: &str) -> Option<Snapshot> {
        self.snapshots.get(&(stream.clone(), state.to_owned())).cloned()
    }

    pub(super) fn keep(&mut self, snapshot: Snapshot) {
        let key = (snapshot.stream.clone(), snapshot.state.clone());
        let kept = self.snapshots.entry(key).or_insert_with(|| snapshot.clone());
        if kept.version < snapshot.version {
            *kept = snapshot;
        }
    }
}

/// So many of these events as one read brings; and were there more?
fn bounded<'a>(events: impl Iterator<Item = &'a Recorded>, limit: usize) -> (Vec<Recorded>, bool) {
    let mut bytes = 0;
    let mut found = Vec::new();
    for recorded in events {
        bytes += recorded.entry.size();
        if found.len() == limit || (bytes > limits::READ && !found.is_empty()) {
            return (found, true);
        }
        found.push(recorded.clone());
    }
    (found, false)
}
