//! Delayed messages that can be cancelled.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

use super::{fault, tx::schema_of};
use crate::{
    envelope::MessageId,
    outbox::{DatabaseError, Row, Timeout, Timeouts, Transaction},
};

/// They are kept beside the outbox that messages of the transaction go into.
#[async_trait]
impl Timeouts for sqlx::Transaction<'_, Postgres> {
    async fn set_timeout(&mut self, owner: &str, row: &Row) -> Result<(), DatabaseError> {
        let (id, event) = (row.outgoing.id.as_str(), &*row.outgoing.event);
        let schema = schema_of(self).await?;
        cancel(self, &schema, owner, Some(event)).await.map_err(|error| failed(error, &schema))?;
        let sql = format!("INSERT INTO \"{schema}\".timeouts (id, owner, event) VALUES ($1, $2, $3)");
        let insert = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(owner).bind(event).execute(&mut **self).await;
        insert.map_err(|error| failed(error, &schema))?;
        self.put(row).await
    }

    async fn cancel_timeouts(&mut self, owner: &str, event: Option<&str>) -> Result<(), DatabaseError> {
        let schema = schema_of(self).await?;
        cancel(self, &schema, owner, event).await.map_err(|error| failed(error, &schema))
    }

    async fn timeout(&mut self, owner: &str, id: &MessageId) -> Result<Timeout, DatabaseError> {
        let schema = schema_of(self).await?;
        let sql = format!("SELECT cancelled FROM \"{schema}\".timeouts WHERE id = $1 AND owner = $2");
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(id.as_str()).bind(owner);
        let cancelled = query.fetch_optional(&mut **self).await.map_err(|error| failed(error, &schema))?;
        Ok(Timeout::noted(cancelled))
    }

    async fn end_timeout(&mut self, owner: &str, id: &MessageId) -> Result<(), DatabaseError> {
        let schema = schema_of(self).await?;
        let sql = format!("DELETE FROM \"{schema}\".timeouts WHERE id = $1 AND owner = $2");
        let delete = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).bind(owner).execute(&mut **self).await;
        delete.map(drop).map_err(|error| failed(error, &schema))
    }
}

fn failed(error: sqlx::Error, schema: &str) -> DatabaseError {
    fault::of(error, &format!("the timeouts in schema `{schema}`"))
}

/// What no relay has had in its hands goes. What one has may be sent: that it is cancelled is noted.
async fn cancel(connection: &mut PgConnection, schema: &str, owner: &str, event: Option<&str>) -> sqlx::Result<()> {
    let whose = "owner = $1 AND ($2 IS NULL OR event = $2)";
    for sql in [
        format!(
            "WITH unsent AS (DELETE FROM \"{schema}\".outbox \
             WHERE due IS NOT NULL AND relay IS NULL AND refusals = 0 \
             AND id IN (SELECT id FROM \"{schema}\".timeouts WHERE {whose}) RETURNING id) \
             DELETE FROM \"{schema}\".timeouts WHERE id IN (SELECT id FROM unsent)"
        ),
        format!("UPDATE \"{schema}\".timeouts SET cancelled = true WHERE {whose}"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).bind(owner).bind(event).execute(&mut *connection).await?;
    }
    Ok(())
}
