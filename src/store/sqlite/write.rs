//! What is written, inside a transaction that others share.

use rusqlite::{CachedStatement, Connection, params};

use super::{query, row::position};
use crate::{
    failpoint::{self, Point},
    store::{
        Append, Appended, Conflict, Entry, Position, Snapshot, StoreError, StoreErrorKind, StreamId, Version,
        append::{again, conflict},
        sql::row::{beside, nanoseconds},
    },
};

/// Why a piece of work did not succeed.
pub(crate) enum Failed {
    /// SQLite did not do it.
    Sqlite(rusqlite::Error),
    /// It must not be done.
    Refused(StoreError),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Records the events of an append, if they may be.
pub(super) fn append(connection: &Connection, append: &Append) -> Result<Appended, Failed> {
    if let Some(before) = recorded(connection, append)? {
        return Ok(before);
    }
    let found = query::version(connection, &append.stream)?;
    if !append.expected.holds(found) {
        return Err(conflict(&append.stream, Conflict::Version { expected: append.expected, found }).into());
    }
    if let Some(unless) = &append.unless
        && let Some(found) = query::first(connection, unless)?
    {
        return Err(conflict(&append.stream, Conflict::Query { found }).into());
    }
    let (mut appended, mut inserts) = (Appended::new(Position::START, found), Inserts::new(connection)?);
    for entry in &append.entries {
        let version = appended.version.later(1);
        appended = Appended::new(inserts.run(&append.stream, version, entry)?, version);
        failpoint::hit(Point::StoreBetweenEvents).map_err(struck)?;
    }
    Ok(appended)
}

/// The same inside a transaction that goes on: of an append that does not succeed nothing stays.
pub(crate) fn append_alone(connection: &Connection, events: &Append) -> Result<Appended, Failed> {
    connection.prepare_cached("SAVEPOINT append")?.execute(())?;
    let appended = append(connection, events);
    // SQLite undoes the whole transaction by itself after some errors.
    if appended.is_err() && !connection.is_autocommit() {
        connection.prepare_cached("ROLLBACK TO append")?.execute(())?;
    }
    if !connection.is_autocommit() {
        connection.prepare_cached("RELEASE append")?.execute(())?;
    }
    appended
}

/// Where the events are, if they are all recorded already.
fn recorded(connection: &Connection, append: &Append) -> Result<Option<Appended>, Failed> {
    let ids = || append.entries.iter().filter_map(|entry| entry.message.head.id.as_ref()).map(|id| id.as_str());
    if !query::any_of_ids(connection, ids())? {
        return Ok(None);
    }
    let known = ids().map(|id| query::of_id(connection, id)).collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(again(append, &known.iter().map(Option::as_ref).collect::<Vec<_>>())?)
}

/// The statements that record an event.
struct Inserts<'a> {
    connection: &'a Connection,
    event: CachedStatement<'a>,
    tag: CachedStatement<'a>,
}

impl<'a> Inserts<'a> {
    fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        let event = connection.prepare_cached(
            "INSERT INTO tegami_events (stream, version, id, event, contract_version, time, encoding, payload, head) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let tag = connection.prepare_cached("INSERT INTO tegami_tags (name, value, position) VALUES (?1, ?2, ?3)")?;
        Ok(Self { connection, event, tag })
    }

    fn run(&mut self, stream: &StreamId, version: Version, entry: &Entry) -> rusqlite::Result<Position> {
        let head = &entry.message.head;
        self.event.execute(params![
            stream.as_str(),
            version.number().cast_signed(),
            head.id.as_ref().map(|id| id.as_str()),
            entry.name(),
            entry.contract_version,
            head.time.map(nanoseconds),
            entry.message.content.encoding.name(),
            &entry.message.content.bytes[..],
            beside(entry),
        ])?;
        let number = self.connection.last_insert_rowid();
        for (name, value) in entry.marks() {
            self.tag.execute(params![name, value, number])?;
        }
        Ok(position(number))
    }
}

/// Keeps a snapshot, unless a later one is there.
pub(super) fn snapshot(connection: &Connection, snapshot: &Snapshot) -> Result<(), Failed> {
    let sql = "INSERT INTO tegami_snapshots (stream, state, version, bytes) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (stream, state) DO UPDATE SET version = excluded.version, bytes = excluded.bytes \
               WHERE excluded.version > version";
    connection.prepare_cached(sql)?.execute(params![
        snapshot.stream.as_str(),
        snapshot.state,
        snapshot.version.number().cast_signed(),
        &snapshot.bytes[..]
    ])?;
    Ok(())
}

fn struck(struck: failpoint::Struck) -> Failed {
    let text = "the store failed between two events of an append";
    Failed::Refused(StoreError::new(StoreErrorKind::Unreachable, text).caused_by(struck))
}
