//! rusqlite with the statements of tegami's store, on tegami's tables.

use std::{hint::black_box, path::Path};

use rusqlite::{Connection, params};
use tegami::store::sqlite::Durability;

use super::{Appends, PAGE, STREAM, Template, event, now};
use crate::broker::meter::{Cost, Mark};

const COLUMNS: &str = "position, stream, version, id, event, contract_version, time, encoding, payload, head";

type Result<T> = rusqlite::Result<T>;

/// A connection to a file that tegami has made, with its settings.
///
/// # Errors
/// SQLite does not open it.
pub fn open(path: &Path, durability: Durability) -> Result<Connection> {
    let connection = Connection::open(path)?;
    let synchronous = if durability == Durability::Power { "FULL" } else { "NORMAL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(connection)
}

/// What tegami wrote for the one event that is there.
///
/// # Errors
/// There is none.
pub fn template(connection: &Connection) -> Result<Template> {
    let sql = "SELECT encoding, payload, head FROM tegami_events";
    connection.query_row(sql, (), |row| Ok(Template::new(row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Appends, one after the other: there is one that writes.
///
/// # Errors
/// SQLite does not take it.
pub fn append(connection: &Connection, template: &Template, appends: Appends) -> Result<Cost> {
    let mark = Mark::now();
    for number in 1..=appends.count {
        append_one(connection, template, &format!("order/{number}"), appends.events)?;
    }
    Ok(mark.cost(appends.all()))
}

fn append_one(connection: &Connection, template: &Template, stream: &str, events: usize) -> Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let ids: Vec<_> = (0..events).map(|_| template.id()).collect();
    for id in &ids {
        let sql = format!("SELECT {COLUMNS} FROM tegami_events WHERE id = ?1");
        assert!(!connection.prepare_cached(&sql)?.exists([id.as_str()])?, "the id is known");
    }
    let sql = "SELECT coalesce(max(version), 0) FROM tegami_events WHERE stream = ?1";
    let version: i64 = connection.prepare_cached(sql)?.query_row([stream], |row| row.get(0))?;
    assert_eq!(version, 0, "the stream is known");
    for (id, version) in ids.iter().zip(1..) {
        insert(connection, template, (stream, version), id.as_str())?;
    }
    connection.prepare_cached("COMMIT")?.execute(()).map(drop)
}

fn insert(connection: &Connection, template: &Template, (stream, version): (&str, i64), id: &str) -> Result<()> {
    let Template { event, encoding, payload, head, tags, .. } = template;
    let sql = "INSERT INTO tegami_events (stream, version, id, event, contract_version, time, encoding, payload, head) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![stream, version, id, event, 1, now(), encoding, payload, head];
    connection.prepare_cached(sql)?.execute(values)?;
    let position = connection.last_insert_rowid();
    let mut tagged =
        connection.prepare_cached("INSERT INTO tegami_tags (name, value, position) VALUES (?1, ?2, ?3)")?;
    for (name, value) in tags {
        tagged.execute(params![name, value, position])?;
    }
    Ok(())
}

/// Reads each stream.
///
/// # Errors
/// SQLite does not read it.
pub fn read(connection: &Connection, streams: usize) -> Result<Cost> {
    let mark = Mark::now();
    let sql =
        format!("SELECT {COLUMNS} FROM tegami_events WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3");
    for number in 0..streams {
        let mut statement = connection.prepare_cached(&sql)?;
        let found =
            statement.query_map(params![format!("order/{number}"), 0, 256], row)?.collect::<Result<Vec<_>>>()?;
        assert_eq!(black_box(found).len(), STREAM);
    }
    Ok(mark.cost(streams * STREAM))
}

/// Finds all by their type, in pages.
///
/// # Errors
/// SQLite does not read it.
pub fn find(connection: &Connection, name: &str, streams: usize) -> Result<Cost> {
    let found = "SELECT position FROM (SELECT t0.position FROM tegami_events t0 WHERE t0.position > ?1 AND t0.event = ?3 \
                 ORDER BY t0.position LIMIT ?2) part";
    let sql = format!(
        "SELECT {COLUMNS} FROM tegami_events t0 WHERE (t0.position) IN ({found}) ORDER BY t0.position LIMIT ?2"
    );
    let (mark, mut after, mut all) = (Mark::now(), 0, 0);
    while all < streams * STREAM {
        let snapshot = connection.unchecked_transaction()?;
        let end = "SELECT coalesce(max(position), 0) FROM tegami_events";
        let end: i64 = snapshot.prepare_cached(end)?.query_row((), |row| row.get(0))?;
        assert!(end > after, "{all} are there");
        let mut statement = snapshot.prepare_cached(&sql)?;
        let found = statement.query_map(params![after, PAGE as i64, name], row)?.collect::<Result<Vec<_>>>()?;
        after = found.last().expect("they are there").0;
        all += black_box(found).len();
    }
    Ok(mark.cost(all))
}

type Row = (i64, (String, i64, String, String, i64, i64, String, String), crate::event::Bare);

fn row(row: &rusqlite::Row<'_>) -> Result<Row> {
    let known =
        (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(9)?);
    let payload: Vec<u8> = row.get(8)?;
    Ok((row.get(0)?, known, event(&payload)))
}
