//! rusqlite with the statements of tegami's store, on tegami's tables.

use std::{hint::black_box, path::Path};

use rusqlite::{Connection, Row, params};
use tegami::{envelope::MessageId, store::sqlite::Durability};

use super::{Appends, Hand, PAGE, PASSES, STREAM, Template, coded, event, now};
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
pub fn append(connection: &Connection, template: &Template, appends: Appends, hand: Hand) -> Result<Cost> {
    let mark = Mark::now();
    for number in 1..=appends.count {
        append_one(connection, (template, hand), &format!("order/{number}"), appends.events)?;
    }
    Ok(mark.cost(appends.all()))
}

type Made<'a> = (&'a Template, Hand);

fn append_one(connection: &Connection, made: Made<'_>, stream: &str, events: usize) -> Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let ids: Vec<_> = (0..events).map(|_| made.0.id()).collect();
    let list = serde_json::to_string(&ids.iter().map(MessageId::as_str).collect::<Vec<_>>()).expect("they are texts");
    let sql = "SELECT EXISTS (SELECT 1 FROM tegami_events WHERE id IN (SELECT value FROM json_each(?1)))";
    let known: bool = connection.prepare_cached(sql)?.query_row([list], |row| row.get(0))?;
    assert!(!known, "an id is known");
    let sql = "SELECT coalesce(max(version), 0) FROM tegami_events WHERE stream = ?1";
    let version: i64 = connection.prepare_cached(sql)?.query_row([stream], |row| row.get(0))?;
    assert_eq!(version, 0, "the stream is known");
    for (id, version) in ids.iter().zip(1..) {
        insert(connection, made, (stream, version), id.as_str())?;
    }
    connection.prepare_cached("COMMIT")?.execute(()).map(drop)
}

fn insert(connection: &Connection, made: Made<'_>, (stream, version): (&str, i64), id: &str) -> Result<()> {
    let (template, hand) = made;
    let Template { event, encoding, tags, .. } = template;
    let (payload, head) = template.bytes(hand);
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
pub fn read(connection: &Connection, streams: usize, hand: Hand) -> Result<Cost> {
    match hand {
        Hand::Bare => read_as(connection, streams, row),
        Hand::Coded => read_as(connection, streams, coded_row),
    }
}

fn read_as<T>(connection: &Connection, streams: usize, row: fn(&Row<'_>) -> Result<T>) -> Result<Cost> {
    let mark = Mark::now();
    let sql =
        format!("SELECT {COLUMNS} FROM tegami_events WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3");
    for number in (0..PASSES).flat_map(|_| 0..streams) {
        let mut statement = connection.prepare_cached(&sql)?;
        let found =
            statement.query_map(params![format!("order/{number}"), 0, 256], row)?.collect::<Result<Vec<_>>>()?;
        assert_eq!(black_box(found).len(), STREAM);
    }
    Ok(mark.cost(PASSES * streams * STREAM))
}

/// Finds all by their type, in pages.
///
/// # Errors
/// SQLite does not read it.
pub fn find(connection: &Connection, name: &str, streams: usize, hand: Hand) -> Result<Cost> {
    match hand {
        Hand::Bare => find_as(connection, name, streams, |row| Ok((row.get(0)?, self::row(row)?))),
        Hand::Coded => find_as(connection, name, streams, |row| Ok((row.get(0)?, coded_row(row)?))),
    }
}

fn find_as<T>(
    connection: &Connection,
    name: &str,
    streams: usize,
    row: fn(&Row<'_>) -> Result<(i64, T)>,
) -> Result<Cost> {
    let found = "SELECT position FROM (SELECT t0.position FROM tegami_events t0 WHERE t0.position > ?1 AND t0.event = ?3 \
                 ORDER BY t0.position LIMIT ?2) part";
    let sql = format!(
        "SELECT {COLUMNS} FROM tegami_events t0 WHERE (t0.position) IN ({found}) ORDER BY t0.position LIMIT ?2"
    );
    let (mark, mut after, mut all) = (Mark::now(), 0, 0);
    while all < PASSES * streams * STREAM {
        if all % (streams * STREAM) == 0 {
            after = 0;
        }
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

type Bare = (i64, (String, i64, String, String, i64, i64, String, String), crate::event::Bare);

fn row(row: &Row<'_>) -> Result<Bare> {
    let known =
        (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(9)?);
    let payload: Vec<u8> = row.get(8)?;
    Ok((row.get(0)?, known, event(&payload)))
}

fn coded_row(row: &Row<'_>) -> Result<coded::Stored<i64>> {
    let text = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str()?);
    let columns = coded::Columns {
        position: row.get(0)?,
        stream: text(1)?,
        version: row.get(2)?,
        id: text(3)?,
        name: text(4)?,
        time: row.get(6)?,
        payload: row.get_ref(8)?.as_blob()?,
        head: text(9)?,
    };
    Ok(columns.decoded())
}
