//! Messages that wait for their time, by the server's clock.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

use super::{fault, tx::place};
use crate::{
    envelope::MessageId,
    outbox::{
        DatabaseError, Kept, Row, Timeout, Timeouts,
        sql::{milliseconds, number, state_of},
    },
    store::postgres::text::written,
};

/// The longest that a timeout takes: a thousand years.
const MOST: Duration = Duration::from_secs(1000 * 365 * 24 * 60 * 60);

/// They are kept beside the outbox that messages of the transaction go into.
#[async_trait]
impl Timeouts for sqlx::Transaction<'_, Postgres> {
    async fn set_timeout(&mut self, owner: &str, row: &Row, after: Duration) -> Result<(), DatabaseError> {
        self.cancel_timeouts(owner, Some(&row.outgoing.event)).await?;
        let (kept, (schema, lane)) = (row.kept(), place(self, row.outgoing.key.as_deref()).await?);
        set(self, (&schema, lane), owner, &kept, after).await.map_err(|error| failed(error, &schema))
    }

    async fn cancel_timeouts(&mut self, owner: &str, event: Option<&str>) -> Result<(), DatabaseError> {
        let (schema, _) = place(self, None).await?;
        cancel(self, &schema, owner, event).await.map_err(|error| failed(error, &schema))
    }

    async fn timeout(&mut self, id: &MessageId) -> Result<Timeout, DatabaseError> {
        let (schema, _) = place(self, None).await?;
        let sql = format!("SELECT state FROM \"{schema}\".timeouts WHERE id = $1");
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(id.as_str());
        let state: Option<String> = query.fetch_optional(&mut **self).await.map_err(|error| failed(error, &schema))?;
        Ok(state_of(state.as_deref()))
    }

    async fn end_timeout(&mut self, id: &MessageId) -> Result<(), DatabaseError> {
        let (schema, _) = place(self, None).await?;
        let sql = format!("DELETE FROM \"{schema}\".timeouts WHERE id = $1");
        let delete = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).execute(&mut **self).await;
        delete.map(drop).map_err(|error| failed(error, &schema))
    }
}

fn failed(error: sqlx::Error, schema: &str) -> DatabaseError {
    fault::of(error, &format!("the timeouts in schema `{schema}`"))
}

async fn set(
    connection: &mut PgConnection,
    (schema, lane): (&str, Option<i64>),
    owner: &str,
    kept: &Kept,
    after: Duration,
) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO \"{schema}\".timeouts (id, owner, event, key, lane, head, body, payload, due) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, statement_timestamp() + $9 * interval '1 millisecond')"
    );
    let Kept { id, event, lane: key, head, body, payload } = kept;
    let insert = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(owner).bind(event).bind(key.as_deref().map(written));
    let insert = insert.bind(lane).bind(head).bind(&body[..]).bind(payload.as_deref());
    insert.bind(milliseconds(after.min(MOST))).execute(connection).await.map(drop)
}

async fn cancel(connection: &mut PgConnection, schema: &str, owner: &str, event: Option<&str>) -> sqlx::Result<()> {
    let which = "owner = $1 AND ($2 IS NULL OR event = $2)";
    // In this order: a relay may have one sent while the first of them waits for it.
    for sql in [
        format!("DELETE FROM \"{schema}\".timeouts WHERE {which} AND state = 'waiting'"),
        format!("UPDATE \"{schema}\".timeouts SET state = 'cancelled' WHERE {which} AND state = 'sent'"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).bind(owner).bind(event).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Puts those whose time has come into the outbox, at most so many.
pub(super) async fn release(schema: &str, connection: &mut PgConnection, most: usize) -> sqlx::Result<()> {
    // All three parts see what was there before: what is put is what was kept.
    let sql = format!(
        "WITH due AS (SELECT id, event, key, lane, head, body, payload FROM \"{schema}\".timeouts \
         WHERE state = 'waiting' AND due <= statement_timestamp() ORDER BY due, id LIMIT $1 FOR UPDATE SKIP LOCKED), \
         put AS (INSERT INTO \"{schema}\".outbox (id, event, key, lane, head, body, payload) SELECT * FROM due) \
         UPDATE \"{schema}\".timeouts kept SET state = 'sent', body = '', payload = NULL FROM due WHERE kept.id = due.id"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(number(most)).execute(connection).await.map(drop)
}
