//! Messages in a transaction of sqlx, wherever it was begun.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

use super::fault;
use crate::{
    failpoint::{self, Point},
    outbox::{DatabaseError, DatabaseErrorKind as Kind, Due, Kept, Row, Transaction},
    store::postgres::{
        builder::{SCHEMA, is_schema},
        locks,
        tables::outbox_channel,
        text::written,
    },
    time::epoch::{milliseconds, milliseconds_of},
};

/// The setting of a connection or a transaction that has the schema of its outbox.
pub(super) const SETTING: &str = "tegami.schema";

/// Puts messages into the outbox of the schema `tegami`, or of the one that the setting `tegami.schema` of the connection
/// names: [`Database::begin`](super::Database::begin) sets it.
///
/// Others that put messages with the same key wait until this transaction ends, so that what is published is in the order
/// of the commits (T3).
#[async_trait]
impl Transaction for sqlx::Transaction<'_, Postgres> {
    async fn put(&mut self, row: &Row) -> Result<(), DatabaseError> {
        put(self, row).await?;
        failpoint::hit(Point::OutboxInTransaction)
            .map_err(|struck| DatabaseError::new(Kind::Unreachable, "the outbox took no more").caused_by(struck))
    }
}

async fn put(connection: &mut PgConnection, row: &Row) -> Result<(), DatabaseError> {
    let key = row.outgoing.key.as_deref();
    // What is delayed is in no order.
    let lane = key.filter(|_| row.due.is_none()).map(lane);
    let schema = alone(connection, lane).await.map_err(|error| fault::of(error, "the outbox"))?;
    check_schema(&schema)?;
    let whose = format!("the outbox in schema `{schema}`");
    insert(connection, row, (&schema, lane)).await.map_err(|error| fault::of(error, &whose))
}

/// The schema of the outbox that messages of this transaction go into.
pub(super) async fn schema_of(connection: &mut PgConnection) -> Result<String, DatabaseError> {
    let sql = format!("SELECT {}", found());
    let schema: sqlx::Result<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await;
    let schema = schema.map_err(|error| fault::of(error, "the outbox"))?;
    check_schema(&schema)?;
    Ok(schema)
}

fn check_schema(schema: &str) -> Result<(), DatabaseError> {
    if is_schema(schema) {
        return Ok(());
    }
    let text = format!(
        "the outbox in schema `{schema}`: the setting `{SETTING}` of the connection has no name of a schema that tegami makes"
    );
    Err(DatabaseError::new(Kind::Invalid, text))
}

/// Waits until nobody else has messages of this lane in a transaction that is open; the schema of the outbox.
///
/// Before a number is drawn: so the numbers of a lane are in the order of its commits.
async fn alone(connection: &mut PgConnection, lane: Option<i64>) -> sqlx::Result<String> {
    let sql = format!(
        "SELECT schema, pg_advisory_xact_lock($1 # hashtextextended(schema, 0))::text \
         FROM (SELECT {}) found (schema)",
        found()
    );
    let (schema, _): (String, Option<String>) =
        sqlx::query_as(AssertSqlSafe(sql)).bind(lane).fetch_one(connection).await?;
    Ok(schema)
}

async fn insert(connection: &mut PgConnection, row: &Row, place: (&str, Option<i64>)) -> sqlx::Result<()> {
    let ((schema, lane), (due, wait)) = (place, due(row.due));
    let sql = format!(
        "INSERT INTO \"{schema}\".outbox (id, event, key, lane, head, body, payload, due) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, {due}) RETURNING pg_notify($8, '')"
    );
    let Kept { id, event, lane: key, head, body, payload } = row.kept();
    let statement = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(event).bind(key.as_deref().map(written)).bind(lane);
    let statement = statement.bind(head).bind(&body[..]).bind(payload.as_deref()).bind(outbox_channel(schema));
    statement.bind(wait).execute(connection).await.map(drop)
}

/// When it is due, from the milliseconds that follow: by the server's clock, if it is not a time of day.
fn due(due: Option<Due>) -> (&'static str, Option<i64>) {
    match due {
        Some(Due::At(time)) => ("to_timestamp(0) + $9 * interval '1 millisecond'", Some(milliseconds_of(time))),
        Some(Due::In(delay, _)) => ("clock_timestamp() + $9 * interval '1 millisecond'", Some(milliseconds(delay))),
        None => ("CASE WHEN $9::bigint IS NULL THEN NULL::timestamptz END", None),
    }
}

/// The schema that the connection or the transaction names.
fn found() -> String {
    format!("coalesce(nullif(current_setting('{SETTING}', true), ''), '{SCHEMA}')")
}

/// The number of a key. Two that have the same one only wait for each other.
fn lane(key: &str) -> i64 {
    locks::number("", &["lane", key])
}
