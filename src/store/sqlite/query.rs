//! What is read.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};

use super::row::{self, COLUMNS, position};
use crate::store::{Criterion, Page, Position, Query, Recorded, Snapshot, StreamId, Unless, Version, limits};

/// How many types of events are looked up one by one in the index; beyond that, all events are looked through.
const TYPES: usize = 50;

/// Events of a stream after a version.
pub(super) fn of_stream(
    connection: &Connection,
    stream: &StreamId,
    after: Version,
    limit: usize,
) -> rusqlite::Result<Vec<Recorded>> {
    let sql =
        format!("SELECT {COLUMNS} FROM tegami_events WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3");
    let values = [stream.as_str().to_owned().into(), number(after.number()), number(limit as u64)];
    Ok(bounded(connection, &sql, &values)?.0)
}

/// Events that match after a position, and up to where was looked.
pub(super) fn of_query(
    connection: &Connection,
    query: &Query,
    after: Position,
    limit: usize,
) -> rusqlite::Result<Page> {
    let snapshot = connection.unchecked_transaction()?;
    let end = end(&snapshot)?.max(after);
    let mut asked = Asked::new(after, limit);
    let sql = match asked.positions(query) {
        None => format!("SELECT {COLUMNS} FROM tegami_events WHERE position > ?1 ORDER BY position LIMIT ?2"),
        Some(found) => {
            format!("SELECT {COLUMNS} FROM tegami_events WHERE position IN ({found}) ORDER BY position LIMIT ?2")
        }
    };
    let (events, cut) = bounded(&snapshot, &sql, &asked.values)?;
    let next = events.last().filter(|_| cut || events.len() >= limit).map_or(end, |last| last.position);
    Ok(Page::new(events, next))
}

/// Where the first event is that an append must not find.
pub(super) fn first(connection: &Connection, Unless { query, after }: &Unless) -> rusqlite::Result<Option<Position>> {
    let mut asked = Asked::new(*after, 1);
    let found = asked.positions(query);
    let found = found.unwrap_or_else(|| "SELECT position FROM tegami_events WHERE position > ?1".to_owned());
    let sql = format!("SELECT min(position) FROM ({found})");
    let values = params_from_iter(asked.used(&sql));
    let first: Option<i64> = connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?;
    Ok(first.map(position))
}

/// The position of the last event.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<Position> {
    let sql = "SELECT coalesce(max(position), 0) FROM tegami_events";
    Ok(position(connection.prepare_cached(sql)?.query_row((), |row| row.get(0))?))
}

/// The version that a stream is at.
pub(super) fn version(connection: &Connection, stream: &StreamId) -> rusqlite::Result<Version> {
    let sql = "SELECT coalesce(max(version), 0) FROM tegami_events WHERE stream = ?1";
    let version: i64 = connection.prepare_cached(sql)?.query_row([stream.as_str()], |row| row.get(0))?;
    Ok(Version::new(version.unsigned_abs()))
}

/// The event of this id.
pub(super) fn of_id(connection: &Connection, id: &str) -> rusqlite::Result<Option<Recorded>> {
    let sql = format!("SELECT {COLUMNS} FROM tegami_events WHERE id = ?1");
    connection.prepare_cached(&sql)?.query_row([id], row::read).optional()
}

/// A stream's snapshot.
pub(super) fn snapshot(connection: &Connection, stream: StreamId, state: String) -> rusqlite::Result<Option<Snapshot>> {
    let sql = "SELECT version, bytes FROM tegami_snapshots WHERE stream = ?1 AND state = ?2";
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
    let found = connection.prepare_cached(sql)?.query_row([stream.as_str(), &state], read).optional()?;
    Ok(found.map(|(version, bytes)| Snapshot::new(stream, state, Version::new(version.unsigned_abs()), bytes)))
}

/// As many events as one read brings; and were there more of them?
fn bounded(connection: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<(Vec<Recorded>, bool)> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(found) = rows.next()? {
        let recorded = row::read(found)?;
        bytes += recorded.entry.size();
        if bytes > limits::READ && !events.is_empty() {
            return Ok((events, true));
        }
        events.push(recorded);
    }
    Ok((events, false))
}

/// The values of a statement: the position to begin after, the limit, and what criteria ask for.
struct Asked {
    values: Vec<Value>,
}

impl Asked {
    fn new(after: Position, limit: usize) -> Self {
        Self { values: vec![number(after.number()), number(limit as u64)] }
    }

    /// The statement for the positions of what matches; none, if everything does.
    fn positions(&mut self, query: &Query) -> Option<String> {
        let everything = |criterion: &Criterion| criterion.tags().is_empty() && criterion.events().next().is_none();
        if query.criteria().is_empty() || query.criteria().iter().any(everything) {
            return None;
        }
        let (tagged, typed): (Vec<_>, Vec<_>) =
            query.criteria().iter().partition(|criterion| !criterion.tags().is_empty());
        let names: BTreeSet<&str> = typed.into_iter().flat_map(Criterion::events).collect();
        let mut found = self.of_types(&names);
        found.extend(tagged.into_iter().map(|criterion| self.of_tags(criterion)));
        // Each part is cut by itself: a whole one is as long as the store.
        let parts = found.iter().map(|part| format!("SELECT position FROM ({part} ORDER BY position LIMIT ?2)"));
        Some(parts.collect::<Vec<_>>().join(" UNION "))
    }

    fn of_types(&mut self, names: &BTreeSet<&str>) -> Vec<String> {
        let start = "SELECT position FROM tegami_events WHERE position > ?1 AND";
        if names.len() > TYPES {
            // The plus keeps the index away: it would bring all events of all types.
            return vec![format!("{start} +event IN ({})", self.values(names.iter().copied()))];
        }
        names.iter().map(|name| format!("{start} event = {}", self.value(name))).collect()
    }

    fn of_tags(&mut self, criterion: &Criterion) -> String {
        let mut sql = "SELECT t0.position AS position FROM tegami_tags t0".to_owned();
        let mut first = String::new();
        for (n, tag) in criterion.tags().iter().enumerate() {
            let meets = format!("t{n}.name = {} AND t{n}.value = {}", self.value(tag.name()), self.value(tag.value()));
            match n {
                0 => first = meets,
                _ => sql += &format!(" JOIN tegami_tags t{n} ON t{n}.position = t0.position AND {meets}"),
            }
        }
        if criterion.events().next().is_some() {
            let events = self.values(criterion.events());
            sql += &format!(" JOIN tegami_events e ON e.position = t0.position AND +e.event IN ({events})");
        }
        format!("{sql} WHERE {first} AND t0.position > ?1")
    }

    /// The place in the statement where this text stands.
    fn value(&mut self, text: &str) -> String {
        self.values.push(text.to_owned().into());
        format!("?{}", self.values.len())
    }

    fn values<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> String {
        texts.map(|text| self.value(text)).collect::<Vec<_>>().join(", ")
    }

    /// The values that a statement names: SQLite counts them.
    fn used(&self, sql: &str) -> &[Value] {
        if sql.contains("?2") { &self.values } else { &self.values[..1] }
    }
}

/// As SQLite has numbers.
fn number(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
