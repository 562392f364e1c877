//! A row of PostgreSQL as an event.

use sqlx::{Row as _, postgres::PgRow};

use crate::store::{
    Position, Recorded,
    sql::{
        names::Names,
        row::{COLUMNS, Row},
    },
};

/// The columns that [`read`] takes, in its order.
pub(super) fn columns() -> String {
    format!("epoch, number, {COLUMNS}")
}

/// The column behind these, in a page: how many events were found.
pub(super) const FOUND: usize = 11;

/// The event of a row with these [`columns`].
pub(super) fn read(row: &PgRow, names: &mut Names) -> sqlx::Result<Recorded> {
    let found = Row {
        stream: row.try_get(2)?,
        version: row.try_get(3)?,
        id: row.try_get(4)?,
        event: row.try_get(5)?,
        contract_version: row.try_get(6)?,
        time: row.try_get(7)?,
        encoding: row.try_get(8)?,
        payload: row.try_get(9)?,
        head: row.try_get(10)?,
    };
    found.recorded(place(row)?, names).map_err(sqlx::Error::Decode)
}

/// The position in the first two columns of a row.
pub(super) fn place(row: &PgRow) -> sqlx::Result<Position> {
    let (epoch, number): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Position::in_epoch(epoch.unsigned_abs(), number.unsigned_abs()))
}

/// As PostgreSQL has numbers.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
