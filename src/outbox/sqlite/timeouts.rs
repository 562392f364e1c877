//! Delayed messages that can be cancelled.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use crate::{
    envelope::MessageId,
    outbox::{DatabaseError, Row, Timeout, Timeouts, Transaction},
};

#[async_trait]
impl Timeouts for Tx {
    async fn set_timeout(&mut self, owner: &str, row: &Row) -> Result<(), DatabaseError> {
        self.cancel_timeouts(owner, Some(&row.outgoing.event)).await?;
        let values = [row.outgoing.id.to_string(), owner.to_owned(), row.outgoing.event.to_string()];
        let insert = "INSERT INTO tegami_timeouts (id, owner, event) VALUES (?1, ?2, ?3)";
        self.run(move |sql| sql.prepare_cached(insert)?.execute(values)).await?;
        self.put(row).await
    }

    async fn cancel_timeouts(&mut self, owner: &str, event: Option<&str>) -> Result<(), DatabaseError> {
        let (owner, event) = (owner.to_owned(), event.map(str::to_owned));
        self.run(move |sql| cancel(sql, &owner, event.as_deref())).await
    }

    async fn timeout(&mut self, owner: &str, id: &MessageId) -> Result<Timeout, DatabaseError> {
        let values = [id.as_str(), owner].map(str::to_owned);
        let query = "SELECT cancelled FROM tegami_timeouts WHERE id = ?1 AND owner = ?2";
        let read = move |sql: &Connection| sql.prepare_cached(query)?.query_row(values, |row| row.get(0)).optional();
        self.run(read).await.map(Timeout::noted)
    }

    async fn end_timeout(&mut self, owner: &str, id: &MessageId) -> Result<(), DatabaseError> {
        let values = [id.as_str(), owner].map(str::to_owned);
        let delete = "DELETE FROM tegami_timeouts WHERE id = ?1 AND owner = ?2";
        self.run(move |sql| sql.prepare_cached(delete)?.execute(values)).await.map(drop)
    }
}

/// What no relay has had in its hands goes. What one has may be sent: that it is cancelled is noted.
fn cancel(sql: &Connection, owner: &str, event: Option<&str>) -> rusqlite::Result<()> {
    let whose = "owner = ?1 AND (?2 IS NULL OR event = ?2)";
    let unsent = format!(
        "DELETE FROM tegami_outbox WHERE due > 0 AND relay IS NULL AND refusals = 0 \
         AND id IN (SELECT id FROM tegami_timeouts WHERE {whose}) RETURNING id"
    );
    let mut unsent = sql.prepare_cached(&unsent)?;
    let ids = unsent.query_map(params![owner, event], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut gone = sql.prepare_cached("DELETE FROM tegami_timeouts WHERE id = ?1")?;
    for id in ids {
        gone.execute([id])?;
    }
    let sent = format!("UPDATE tegami_timeouts SET cancelled = 1 WHERE {whose}");
    sql.prepare_cached(&sent)?.execute(params![owner, event]).map(drop)
}
