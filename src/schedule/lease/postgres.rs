//! Leases in PostgreSQL, by the server's clock.
//!
//! Whatever changes a tick has locked the row of its schedule: so each sees what the one before it did.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, postgres::PgArguments};

use super::{
    Claim, Known, LeaseError, LeaseStore, Taken,
    seen::Seen,
    sql::{AT_ONCE, KEPT, LONGEST, away, lease, number, time},
};
use crate::{
    postgres::Database,
    store::{
        StoreErrorKind,
        postgres::{fault::Failed, text::written},
    },
    time::epoch::milliseconds,
};

/// The server's time, when it was asked.
const NOW: &str = "statement_timestamp()";

#[async_trait]
impl LeaseStore for Database {
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError> {
        match self.session().again(|| take_once(self, claim)).await {
            // Nobody else has this holder, so what is there now was granted just before.
            Err(error) if error.kind() == StoreErrorKind::Unknown && self.renew(claim).await? => Ok(Taken::Granted),
            taken => taken.map_err(away),
        }
    }

    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError> {
        self.session().again(|| renew_once(self, claim)).await.map_err(away)
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError> {
        let sql = format!(
            "DELETE FROM \"{0}\".ticks one \
             USING (SELECT name FROM \"{0}\".schedules WHERE name = $1 FOR UPDATE) locked \
             WHERE one.schedule = locked.name AND one.tick = $2 AND one.holder = $3",
            self.schema()
        );
        let asked = || async {
            let query = of_tick(sql.clone(), claim).bind(written(&claim.holder));
            Ok(query.execute(self.pool()).await?.rows_affected() == 1)
        };
        self.read(asked).await.map_err(away)
    }

    async fn register(&self, schedule: &str, now: SystemTime) -> Result<Known, LeaseError> {
        self.session().again(|| register_once(self, schedule, now)).await.map_err(away)
    }
}

impl Database {
    /// Forgets what is known of a schedule, `billing/send_report` say: its latest tick, and those left unfinished. It then
    /// begins as if it had never run. Was anything known?
    ///
    /// # Errors
    /// The database cannot be written to.
    pub async fn forget_schedule(&self, schedule: &str) -> Result<bool, LeaseError> {
        let sql = format!(
            "WITH forgotten AS (DELETE FROM \"{0}\".ticks WHERE schedule = $1) \
             DELETE FROM \"{0}\".schedules WHERE name = $1",
            self.schema()
        );
        let asked = || sqlx::query::<Postgres>(AssertSqlSafe(sql.clone())).bind(written(schedule)).execute(self.pool());
        Ok(self.read(asked).await.map_err(away)?.rows_affected() == 1)
    }
}

type Query<'a> = sqlx::query::Query<'a, Postgres, PgArguments>;

/// A statement about this tick.
fn of_tick<'a>(sql: String, claim: &Claim) -> Query<'a> {
    sqlx::query(AssertSqlSafe(sql)).bind(written(&claim.schedule)).bind(number(claim.tick))
}

async fn take_once(database: &Database, claim: &Claim) -> Result<Taken, Failed> {
    let session = database.session();
    let mut tx = session.begin().await?;
    let taken = take(database.schema(), &mut tx, claim);
    let taken = session.within(session.longest(), async { Ok(taken.await?) }).await?;
    session.commit(tx).await?;
    Ok(taken)
}

async fn renew_once(database: &Database, claim: &Claim) -> Result<bool, Failed> {
    let session = database.session();
    let mut tx = session.begin().await?;
    let renewed = renew(database.schema(), &mut tx, claim);
    let renewed = session.within(session.longest(), async { Ok(renewed.await?) }).await?;
    session.commit(tx).await?;
    Ok(renewed)
}

async fn register_once(database: &Database, schedule: &str, now: SystemTime) -> Result<Known, Failed> {
    let session = database.session();
    let mut tx = session.begin().await?;
    let known = register(database.schema(), &mut tx, schedule, now);
    let known = session.within(session.longest(), async { Ok(known.await?) }).await?;
    session.commit(tx).await?;
    Ok(known)
}

/// Ticks are read once the schedule is locked: one statement would read them as they were before it waited for that, and miss
/// the one that was granted meanwhile.
async fn register(schema: &str, connection: &mut PgConnection, schedule: &str, now: SystemTime) -> sqlx::Result<Known> {
    let (name, now) = (written(schedule), number(now));
    let sql = format!(
        "INSERT INTO \"{schema}\".schedules AS one (name, latest) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET latest = coalesce(one.latest, excluded.latest) RETURNING latest"
    );
    let latest = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&name).bind(now).fetch_one(&mut *connection).await?;
    let sql = format!("SELECT tick FROM \"{schema}\".ticks WHERE schedule = $1 ORDER BY tick");
    let unfinished: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&name).fetch_all(connection).await?;
    Ok(Known::new(time(latest), unfinished.into_iter().map(time).collect()))
}

async fn take(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<Taken> {
    let latest = lock(schema, connection, claim).await?;
    shorten(schema, connection, claim).await?;
    let (left, others) = holds(schema, connection, claim).await?;
    let taken = Seen { latest: latest.map(time), left, others }.answer(claim);
    if taken == Taken::Granted {
        grant(schema, connection, claim).await?;
        forget(schema, connection, claim).await?;
    }
    Ok(taken)
}

/// Waits until nobody else changes ticks of the schedule; its latest one.
async fn lock(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<Option<i64>> {
    let name = written(&claim.schedule);
    let found = locked(schema, connection, &name).await?;
    if let Some(latest) = found {
        return Ok(latest);
    }
    let sql = format!("INSERT INTO \"{schema}\".schedules (name) VALUES ($1) ON CONFLICT DO NOTHING");
    sqlx::query::<Postgres>(AssertSqlSafe(sql)).bind(&name).execute(&mut *connection).await?;
    Ok(locked(schema, connection, &name).await?.flatten())
}

/// The time is asked for once nobody else changes ticks of the schedule: who waits for that may have lost the lease meanwhile.
async fn renew(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<bool> {
    locked(schema, connection, &written(&claim.schedule)).await?;
    let sql = format!(
        "UPDATE \"{schema}\".ticks SET held_until = {NOW} + $4 * interval '1 millisecond' \
         WHERE schedule = $1 AND tick = $2 AND holder = $3 AND held_until > {NOW}"
    );
    let query = of_tick(sql, claim).bind(written(&claim.holder)).bind(lease(claim));
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

async fn locked(schema: &str, connection: &mut PgConnection, name: &str) -> sqlx::Result<Option<Option<i64>>> {
    let sql = format!("SELECT latest FROM \"{schema}\".schedules WHERE name = $1 FOR UPDATE");
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(name).fetch_optional(connection).await
}

/// Shortens what a clock that has been put back since would hold for long.
async fn shorten(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<()> {
    let longest = format!("{NOW} + interval '{} seconds'", LONGEST.as_secs());
    let sql =
        format!("UPDATE \"{schema}\".ticks SET held_until = {longest} WHERE schedule = $1 AND held_until > {longest}");
    let query = sqlx::query::<Postgres>(AssertSqlSafe(sql)).bind(written(&claim.schedule));
    query.execute(connection).await.map(drop)
}

/// How much longer the lease on the tick holds, and on how many others leases hold.
async fn holds(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<(Option<Duration>, usize)> {
    let left = format!("greatest(0, ceil(extract(epoch FROM held_until - {NOW}) * 1000))::bigint");
    let ticks = format!("FROM \"{schema}\".ticks WHERE schedule = $1 AND tick");
    let sql = format!("SELECT (SELECT {left} {ticks} = $2), (SELECT count(*) {ticks} <> $2 AND held_until > {NOW})");
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(written(&claim.schedule)).bind(number(claim.tick));
    let (left, others): (Option<i64>, i64) = query.fetch_one(connection).await?;
    let left = left.map(|left| Duration::from_millis(left.unsigned_abs()));
    Ok((left, usize::try_from(others).unwrap_or(usize::MAX)))
}

async fn grant(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<()> {
    let sql = format!("UPDATE \"{schema}\".schedules SET latest = greatest(latest, $2) WHERE name = $1");
    of_tick(sql, claim).execute(&mut *connection).await?;
    let sql = format!(
        "INSERT INTO \"{schema}\".ticks (schedule, tick, holder, held_until) \
         VALUES ($1, $2, $3, {NOW} + $4 * interval '1 millisecond') \
         ON CONFLICT (schedule, tick) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until"
    );
    let insert = of_tick(sql, claim).bind(written(&claim.holder)).bind(lease(claim));
    insert.execute(connection).await.map(drop)
}

/// Forgets some of the ticks that were left unfinished long ago.
async fn forget(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<()> {
    let sql = format!(
        "DELETE FROM \"{schema}\".ticks WHERE schedule = $1 AND tick IN (SELECT tick FROM \"{schema}\".ticks \
         WHERE schedule = $1 AND held_until < {NOW} - $2 * interval '1 millisecond' ORDER BY tick LIMIT {AT_ONCE})"
    );
    let query = sqlx::query::<Postgres>(AssertSqlSafe(sql)).bind(written(&claim.schedule)).bind(milliseconds(KEPT));
    query.execute(connection).await.map(drop)
}
