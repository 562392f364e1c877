//! Checkpoints in PostgreSQL. Holds go by the server's clock.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, PgConnection, PgExecutor, postgres::PgPool};

use super::{Checkpoint, Checkpoints, Claim, Held, Id, checkpoints::LONGEST};
use crate::{
    outbox::{
        DatabaseError,
        postgres::{Database, Tx},
    },
    store::{Position, postgres::fault},
    time::{Wall, epoch::milliseconds},
};

#[async_trait]
impl Checkpoints for Database {
    async fn checkpoint(&self, id: &Id) -> Result<Option<Checkpoint>, DatabaseError> {
        self.read(|| one(self.schema(), self.pool(), id)).await
    }

    async fn checkpoint_in(&self, tx: &mut Tx, id: &Id) -> Result<Option<Checkpoint>, DatabaseError> {
        self.inside(locked(self.schema(), tx, id)).await
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, DatabaseError> {
        self.read(|| all(self.schema(), self.pool())).await
    }

    async fn hold(&self, tx: &mut Tx, claim: &Claim) -> Result<Held, DatabaseError> {
        let held = self.inside(hold(self.schema(), tx, claim)).await?;
        Ok(held.map_or(Held::Elsewhere, Held::Here))
    }

    async fn advance(&self, tx: &mut Tx, claim: &Claim, from: Position, to: Position) -> Result<bool, DatabaseError> {
        let set = "position = $4 WHERE name = $1 AND version = $2 AND projector = $3 AND position = $5";
        let query = update(self.schema(), set, &claim.id).bind(&claim.projector);
        self.changes(tx, query.bind(to.to_string()).bind(from.to_string())).await
    }

    async fn release(&self, tx: &mut Tx, claim: &Claim) -> Result<(), DatabaseError> {
        let set = "projector = NULL, held_until = to_timestamp(0) WHERE name = $1 AND version = $2 AND projector = $3";
        let query = update(self.schema(), set, &claim.id).bind(&claim.projector);
        self.changes(tx, query).await.map(drop)
    }

    async fn rewind(&self, tx: &mut Tx, id: &Id) -> Result<(), DatabaseError> {
        let query = update(self.schema(), "position = $3 WHERE name = $1 AND version = $2", id);
        self.changes(tx, query.bind(Position::START.to_string())).await.map(drop)
    }

    fn is_away(&self, error: &(dyn Error + 'static)) -> bool {
        error.downcast_ref().is_some_and(fault::is_away)
    }

    async fn remove_checkpoint(&self, tx: &mut Tx, id: &Id) -> Result<bool, DatabaseError> {
        let sql = format!("DELETE FROM \"{}\".projections WHERE name = $1 AND version = $2", self.schema());
        self.changes(tx, about(sql, id)).await
    }
}

type Query<'a> = sqlx::query::Query<'a, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// A statement about this projection.
fn about(sql: String, id: &Id) -> Query<'_> {
    sqlx::query(AssertSqlSafe(sql)).bind(&id.name).bind(i64::from(id.version))
}

fn update<'a>(schema: &str, set: &str, id: &'a Id) -> Query<'a> {
    about(format!("UPDATE \"{schema}\".projections SET {set}"), id)
}

impl Database {
    /// Is there a row that this changes?
    async fn changes(&self, tx: &mut Tx, query: Query<'_>) -> Result<bool, DatabaseError> {
        let changed = self.inside(async { Ok(query.execute(&mut **tx).await?.rows_affected()) }).await?;
        Ok(changed == 1)
    }
}

/// Takes it, unless somebody else has it.
async fn hold(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<Option<Position>> {
    let taken = take(schema, connection, claim).await?;
    // To insert what is there would wait for whoever changes it.
    if taken.is_some() || one(schema, &mut *connection, &claim.id).await?.is_some() {
        return Ok(taken);
    }
    let values = "(name, version, position) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let insert = about(format!("INSERT INTO \"{schema}\".projections {values}"), &claim.id);
    insert.bind(Position::START.to_string()).execute(&mut *connection).await?;
    take(schema, connection, claim).await
}

/// Takes one that is there, unless somebody else has it, by a hold or in a transaction that is open.
async fn take(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<Option<Position>> {
    let (now, longest) = ("statement_timestamp()", LONGEST.as_secs());
    let held = format!("held_until > {now} AND held_until <= {now} + interval '{longest} seconds'");
    let sql = format!(
        "UPDATE \"{schema}\".projections one SET projector = $3, held_until = {now} + $4 * interval '1 millisecond' \
         FROM (SELECT name, version FROM \"{schema}\".projections WHERE name = $1 AND version = $2 \
         AND (projector IS NULL OR projector = $3 OR NOT ({held})) FOR UPDATE SKIP LOCKED) free \
         WHERE one.name = free.name AND one.version = free.version RETURNING position"
    );
    let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&claim.id.name).bind(i64::from(claim.id.version));
    let query = query.bind(&claim.projector).bind(milliseconds(claim.hold.min(LONGEST)));
    query.fetch_optional(connection).await?.map(position).transpose()
}

/// Name, version, position, projector, and the milliseconds until the hold ends.
type Row = (String, i64, String, Option<String>, i64);

fn select(schema: &str) -> String {
    let left = "(extract(epoch FROM held_until - statement_timestamp()) * 1000)::bigint";
    format!("SELECT name, version, position, projector, {left} FROM \"{schema}\".projections")
}

async fn one(schema: &str, from: impl PgExecutor<'_>, id: &Id) -> sqlx::Result<Option<Checkpoint>> {
    found(format!("{} WHERE name = $1 AND version = $2", select(schema)), from, id).await
}

/// One that no other transaction has; this one has it from now on.
async fn locked(schema: &str, connection: &mut PgConnection, id: &Id) -> sqlx::Result<Option<Checkpoint>> {
    let sql = format!("{} WHERE name = $1 AND version = $2 FOR UPDATE SKIP LOCKED", select(schema));
    found(sql, connection, id).await
}

async fn found(sql: String, from: impl PgExecutor<'_>, id: &Id) -> sqlx::Result<Option<Checkpoint>> {
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(&id.name).bind(i64::from(id.version));
    query.fetch_optional(from).await?.map(checkpoint).transpose()
}

async fn all(schema: &str, pool: &PgPool) -> sqlx::Result<Vec<Checkpoint>> {
    let sql = format!("{} ORDER BY name, version", select(schema));
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await?.into_iter().map(checkpoint).collect()
}

/// The hold as this machine's clock has it.
fn checkpoint((name, version, at, projector, left): Row) -> sqlx::Result<Checkpoint> {
    let version = u32::try_from(version).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let (now, by) = (Wall::system().now(), Duration::from_millis(left.unsigned_abs()));
    let until = if left < 0 { now.checked_sub(by) } else { now.checked_add(by) };
    let until = until.unwrap_or(SystemTime::UNIX_EPOCH);
    Ok(Checkpoint::new(Id::new(name, version), position(at)?).held(projector, until))
}

fn position(text: String) -> sqlx::Result<Position> {
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
