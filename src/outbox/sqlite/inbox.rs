//! The ids of messages whose effects were committed.

use std::time::Duration;

use rusqlite::{Connection, params};

use crate::outbox::{Mark, Marked, sql::number};

/// Notes that a message is handled.
pub(super) fn mark(sql: &Connection, mark: &Mark) -> rusqlite::Result<Marked> {
    let Mark { subscription, id, digest } = mark;
    let insert = "INSERT INTO tegami_inbox (subscription, id, digest, time) VALUES (?1, ?2, ?3, unixepoch()) \
                  ON CONFLICT DO NOTHING";
    if sql.prepare_cached(insert)?.execute(params![subscription, id.as_str(), digest])? == 1 {
        return Ok(Marked::New);
    }
    let query = "SELECT digest = ?3 FROM tegami_inbox WHERE subscription = ?1 AND id = ?2";
    let same = sql.prepare_cached(query)?.query_row(params![subscription, id.as_str(), digest], |row| row.get(0))?;
    Ok(if same { Marked::Known } else { Marked::Other })
}

/// Forgets the oldest of the marks that were made so long ago, at most so many; how many they were.
pub(super) fn forget(sql: &Connection, older_than: Duration, most: usize) -> rusqlite::Result<usize> {
    let delete = "DELETE FROM tegami_inbox WHERE (subscription, id) IN \
                  (SELECT subscription, id FROM tegami_inbox WHERE time < unixepoch() - ?1 ORDER BY time LIMIT ?2)";
    let seconds = i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX / 2);
    sql.prepare_cached(delete)?.execute(params![seconds, number(most)])
}
