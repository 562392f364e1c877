//! Messages that wait for their time, by the time that relays have.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use crate::{
    envelope::MessageId,
    outbox::{
        DatabaseError, Kept, Row, Timeout, Timeouts,
        sql::{milliseconds, number, state_of},
    },
};

/// They count from when the message was made, by the clock of the service that sets them.
#[async_trait]
impl Timeouts for Tx {
    async fn set_timeout(&mut self, owner: &str, row: &Row, after: Duration) -> Result<(), DatabaseError> {
        let made = row.outgoing.time.unwrap_or(SystemTime::UNIX_EPOCH);
        let made = made.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (owner, kept, due) = (owner.to_owned(), row.kept(), milliseconds(made.saturating_add(after)));
        self.run(move |sql| {
            cancel(sql, &owner, Some(&kept.event))?;
            set(sql, &owner, &kept, due)
        })
        .await
    }

    async fn cancel_timeouts(&mut self, owner: &str, event: Option<&str>) -> Result<(), DatabaseError> {
        let (owner, event) = (owner.to_owned(), event.map(str::to_owned));
        self.run(move |sql| cancel(sql, &owner, event.as_deref())).await
    }

    async fn timeout(&mut self, id: &MessageId) -> Result<Timeout, DatabaseError> {
        let id = id.clone();
        let query = "SELECT state FROM tegami_timeouts WHERE id = ?1";
        let read = move |sql: &Connection| {
            sql.prepare_cached(query)?.query_row([id.as_str()], |row| row.get::<_, String>(0)).optional()
        };
        Ok(state_of(self.run(read).await?.as_deref()))
    }

    async fn end_timeout(&mut self, id: &MessageId) -> Result<(), DatabaseError> {
        let id = id.clone();
        let delete = "DELETE FROM tegami_timeouts WHERE id = ?1";
        self.run(move |sql| sql.prepare_cached(delete)?.execute([id.as_str()])).await.map(drop)
    }
}

fn set(sql: &Connection, owner: &str, kept: &Kept, due: i64) -> rusqlite::Result<()> {
    let insert = "INSERT INTO tegami_timeouts (id, owner, event, lane, head, body, payload, due) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let Kept { id, event, lane, head, body, payload } = kept;
    let values = params![id, owner, event, lane, head, &body[..], payload.as_deref(), due];
    sql.prepare_cached(insert)?.execute(values).map(drop)
}

fn cancel(sql: &Connection, owner: &str, event: Option<&str>) -> rusqlite::Result<()> {
    let which = "owner = ?1 AND (?2 IS NULL OR event = ?2)";
    let waiting = format!("DELETE FROM tegami_timeouts WHERE {which} AND state = 'waiting'");
    sql.prepare_cached(&waiting)?.execute(params![owner, event])?;
    let sent = format!("UPDATE tegami_timeouts SET state = 'cancelled' WHERE {which} AND state = 'sent'");
    sql.prepare_cached(&sent)?.execute(params![owner, event]).map(drop)
}

/// Has the time come for one?
pub(super) fn any_due(sql: &Connection, now: i64) -> rusqlite::Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM tegami_timeouts WHERE state = 'waiting' AND due <= ?1)";
    sql.prepare_cached(query)?.query_row([now], |row| row.get(0))
}

/// Puts those whose time has come into the outbox, at most so many.
pub(super) fn release(sql: &Connection, now: i64, most: usize) -> rusqlite::Result<()> {
    if !any_due(sql, now)? {
        return Ok(());
    }
    let due = "SELECT id FROM tegami_timeouts WHERE state = 'waiting' AND due <= ?1 ORDER BY due, id LIMIT ?2";
    let mut found = sql.prepare_cached(due)?;
    let ids = found.query_map(params![now, number(most)], |row| row.get(0))?;
    let ids: Vec<String> = ids.collect::<rusqlite::Result<_>>()?;
    let mut put = sql.prepare_cached(
        "INSERT INTO tegami_outbox (id, event, lane, head, body, payload) \
         SELECT id, event, lane, head, body, payload FROM tegami_timeouts WHERE id = ?1",
    )?;
    // What was put there is not needed twice.
    let mut sent =
        sql.prepare_cached("UPDATE tegami_timeouts SET state = 'sent', body = x'', payload = NULL WHERE id = ?1")?;
    for id in ids {
        put.execute([&id])?;
        sent.execute([&id])?;
    }
    Ok(())
}
