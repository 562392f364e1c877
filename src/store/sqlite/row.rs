//! A row of SQLite as an event.

use rusqlite::{Error, types::Type};

use crate::store::{
    Position, Recorded,
    sql::row::{COLUMNS, Row},
};

/// The columns that [`read`] takes, in its order.
pub(super) fn columns() -> String {
    format!("position, {COLUMNS}")
}

/// The event of a row with these [`columns`].
pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Recorded> {
    let found = Row {
        stream: row.get(1)?,
        version: row.get(2)?,
        id: row.get(3)?,
        event: row.get(4)?,
        contract_version: row.get(5)?,
        time: row.get(6)?,
        encoding: row.get(7)?,
        payload: row.get(8)?,
        head: row.get(9)?,
    };
    let damaged = |error| Error::FromSqlConversionFailure(0, Type::Text, error);
    found.recorded(position(row.get(0)?)).map_err(damaged)
}

/// The position that SQLite has as this number.
pub(super) fn position(number: i64) -> Position {
    Position::new(number.unsigned_abs())
}
