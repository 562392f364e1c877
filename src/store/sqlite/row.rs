//! A row of SQLite as an event.

use rusqlite::{Error, types::Type};

use crate::{
    error::BoxError,
    store::{
        Position, Recorded,
        sql::{
            names::Names,
            row::{COLUMNS, Row},
        },
    },
};

/// The columns that [`read`] takes, in its order.
pub(super) fn columns() -> String {
    format!("position, {COLUMNS}")
}

/// The event of a row with these [`columns`].
pub(super) fn read(row: &rusqlite::Row<'_>, names: &mut Names) -> rusqlite::Result<Recorded> {
    let text = |column| row.get_ref(column)?.as_str().map_err(|error| damaged(column, error.into()));
    let found = Row {
        stream: text(1)?,
        version: row.get(2)?,
        id: text(3)?,
        event: text(4)?,
        contract_version: row.get(5)?,
        time: row.get(6)?,
        encoding: text(7)?,
        payload: row.get_ref(8)?.as_blob().map_err(|error| damaged(8, error.into()))?,
        head: text(9)?,
    };
    found.recorded(position(row.get(0)?), names).map_err(|error| damaged(0, error))
}

fn damaged(column: usize, error: BoxError) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, error)
}

/// The position that SQLite has as this number.
pub(super) fn position(number: i64) -> Position {
    Position::new(number.unsigned_abs())
}
