//! What is read.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};

use super::row::{self, columns, position};
use crate::store::{
    Page, Position, Query, Recorded, Snapshot, StreamId, Unless, Version, limits,
    sql::{
        names::Names,
        query::{Among, Asked, Dialect},
    },
};

/// Events of a stream after a version.
pub(crate) fn of_stream(
    connection: &Connection,
    stream: &StreamId,
    after: Version,
    limit: usize,
) -> rusqlite::Result<Vec<Recorded>> {
    let sql =
        format!("SELECT {} FROM tegami_events WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3", columns());
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
    let mut asked = Asked::new(&DIALECT, &LATER);
    let sql = asked.events(&columns(), query);
    let (events, cut) = bounded(&snapshot, &sql, &values(after, limit, asked.texts))?;
    let next = events.last().filter(|_| cut || events.len() >= limit).map_or(end, |last| last.position);
    Ok(Page::new(events, next))
}

/// How many events match after a position; `most`, if there are more.
pub(super) fn count(connection: &Connection, query: &Query, after: Position, most: u64) -> rusqlite::Result<u64> {
    let mut asked = Asked::new(&DIALECT, &LATER);
    let sql = format!("SELECT count(*) FROM ({})", asked.places(query));
    let limit = usize::try_from(most).unwrap_or(usize::MAX);
    let values = params_from_iter(values(after, limit, asked.texts));
    connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0)).map(i64::unsigned_abs)
}

/// Where the first event is that an append must not find.
pub(super) fn first(
    connection: &Connection,
    Unless { query, after, .. }: &Unless,
) -> rusqlite::Result<Option<Position>> {
    let mut asked = Asked::new(&DIALECT, &LATER);
    let sql = asked.places(query);
    let values = params_from_iter(values(*after, 1, asked.texts));
    let first: Option<i64> = connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0)).optional()?;
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

/// Is there an event of one of these ids?
pub(super) fn any_of_ids<'a>(connection: &Connection, ids: impl Iterator<Item = &'a str>) -> rusqlite::Result<bool> {
    let ids = serde_json::to_string(&ids.collect::<Vec<_>>()).expect("texts have a JSON form");
    let sql = "SELECT EXISTS (SELECT 1 FROM tegami_events WHERE id IN (SELECT value FROM json_each(?1)))";
    connection.prepare_cached(sql)?.query_row([ids], |row| row.get(0))
}

/// The event of this id.
pub(super) fn of_id(connection: &Connection, id: &str) -> rusqlite::Result<Option<Recorded>> {
    let sql = format!("SELECT {} FROM tegami_events WHERE id = ?1", columns());
    connection.prepare_cached(&sql)?.query_row([id], |row| row::read(row, &mut Names::default())).optional()
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
    let (mut events, mut bytes, mut names) = (Vec::new(), 0, Names::default());
    while let Some(found) = rows.next()? {
        let recorded = row::read(found, &mut names)?;
        bytes += recorded.entry.size();
        if bytes > limits::READ && !events.is_empty() {
            return Ok((events, true));
        }
        events.push(recorded);
    }
    Ok((events, false))
}

/// Tables and words of SQLite.
static DIALECT: LazyLock<Dialect> = LazyLock::new(|| Dialect {
    events: "tegami_events".to_owned(),
    tags: "tegami_tags".to_owned(),
    place: &["position"],
    sign: '?',
    // The plus keeps the index away.
    unindexed: "+",
    tag: |text| text.into(),
});
/// After a position; so many.
const LATER: Among = Among { which: "t0.position > ?1", limit: "?2", values: 2 };

/// The values of a statement: the position to begin after, the limit, and what criteria ask for.
fn values(after: Position, limit: usize, texts: Vec<String>) -> Vec<Value> {
    [number(after.number()), number(limit as u64)].into_iter().chain(texts.into_iter().map(Value::from)).collect()
}

/// As SQLite has numbers.
fn number(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
