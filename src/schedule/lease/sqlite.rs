//! Leases in an SQLite file. Its processes are on one machine, whose clock they share.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Claim, Known, LeaseError, LeaseStore, Taken,
    seen::Seen,
    sql::{AT_ONCE, KEPT, LONGEST, away, lease, number, time},
};
use crate::{sqlite::Database, time::epoch::milliseconds};

#[async_trait]
impl LeaseStore for Database {
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError> {
        let claim = claim.clone();
        self.store().writer().write(0, move |sql| Ok(take(sql, &claim)?)).await.map_err(away)
    }

    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError> {
        let set = "UPDATE tegami_ticks SET held_until = ?4 \
                   WHERE schedule = ?1 AND tick = ?2 AND holder = ?3 AND held_until > ?5";
        let claim = claim.clone();
        let work = move |sql: &Connection| {
            let values = params![claim.schedule, number(claim.tick), claim.holder, until(&claim), number(claim.now)];
            Ok(sql.prepare_cached(set)?.execute(values)? == 1)
        };
        self.store().writer().write(0, work).await.map_err(away)
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError> {
        let delete = "DELETE FROM tegami_ticks WHERE schedule = ?1 AND tick = ?2 AND holder = ?3";
        let claim = claim.clone();
        let work = move |sql: &Connection| {
            let values = params![claim.schedule, number(claim.tick), claim.holder];
            Ok(sql.prepare_cached(delete)?.execute(values)? == 1)
        };
        self.store().writer().write(0, work).await.map_err(away)
    }

    async fn register(&self, schedule: &str, now: SystemTime) -> Result<Known, LeaseError> {
        let schedule = schedule.to_owned();
        let work = move |sql: &Connection| {
            let insert = "INSERT INTO tegami_schedules (name, latest) VALUES (?1, ?2) \
                          ON CONFLICT (name) DO UPDATE SET latest = coalesce(latest, excluded.latest) RETURNING latest";
            let latest = sql.prepare_cached(insert)?.query_row(params![schedule, number(now)], |row| row.get(0))?;
            let query = "SELECT tick FROM tegami_ticks WHERE schedule = ?1 ORDER BY tick";
            let mut query = sql.prepare_cached(query)?;
            let unfinished = query.query_map([&schedule], |row| row.get(0).map(time))?.collect::<Result<_, _>>()?;
            Ok(Known::new(time(latest), unfinished))
        };
        self.store().writer().write(0, work).await.map_err(away)
    }
}

impl Database {
    /// Forgets what is known of a schedule, `billing/send_report` say: its latest tick, and those left unfinished. It then
    /// begins as if it had never run. Was anything known?
    ///
    /// # Errors
    /// The file cannot be written to.
    pub async fn forget_schedule(&self, schedule: &str) -> Result<bool, LeaseError> {
        let schedule = schedule.to_owned();
        let work = move |sql: &Connection| {
            sql.execute("DELETE FROM tegami_ticks WHERE schedule = ?1", [&schedule])?;
            Ok(sql.execute("DELETE FROM tegami_schedules WHERE name = ?1", [&schedule])? == 1)
        };
        self.store().writer().write(0, work).await.map_err(away)
    }
}

/// When the lease ends, if it begins now.
fn until(claim: &Claim) -> i64 {
    number(claim.now).saturating_add(lease(claim))
}

fn take(sql: &Connection, claim: &Claim) -> rusqlite::Result<Taken> {
    let shorten = "UPDATE tegami_ticks SET held_until = ?2 WHERE schedule = ?1 AND held_until > ?2";
    let longest = number(claim.now).saturating_add(milliseconds(LONGEST));
    sql.prepare_cached(shorten)?.execute(params![claim.schedule, longest])?;
    let taken = seen(sql, claim)?.answer(claim);
    if taken == Taken::Granted {
        grant(sql, claim)?;
        forget(sql, claim)?;
    }
    Ok(taken)
}

fn seen(sql: &Connection, claim: &Claim) -> rusqlite::Result<Seen> {
    let (schedule, tick, now) = (&claim.schedule, number(claim.tick), number(claim.now));
    let rest = "SELECT max(0, held_until - ?3) FROM tegami_ticks WHERE schedule = ?1 AND tick = ?2";
    let read = |row: &Row<'_>| row.get(0).map(|left: i64| Duration::from_millis(left.unsigned_abs()));
    let left = sql.prepare_cached(rest)?.query_row(params![schedule, tick, now], read).optional()?;
    let others = "SELECT count(*) FROM tegami_ticks WHERE schedule = ?1 AND tick <> ?2 AND held_until > ?3";
    let others: i64 = sql.prepare_cached(others)?.query_row(params![schedule, tick, now], |row| row.get(0))?;
    let others = usize::try_from(others).unwrap_or(usize::MAX);
    Ok(Seen { latest: latest(sql, schedule)?.map(time), left, others })
}

fn latest(sql: &Connection, schedule: &str) -> rusqlite::Result<Option<i64>> {
    let query = "SELECT latest FROM tegami_schedules WHERE name = ?1";
    Ok(sql.prepare_cached(query)?.query_row([schedule], |row| row.get(0)).optional()?.flatten())
}

fn grant(sql: &Connection, claim: &Claim) -> rusqlite::Result<()> {
    let (schedule, tick) = (&claim.schedule, number(claim.tick));
    let note = "INSERT INTO tegami_schedules (name, latest) VALUES (?1, ?2) \
                ON CONFLICT (name) DO UPDATE SET latest = max(coalesce(latest, excluded.latest), excluded.latest)";
    sql.prepare_cached(note)?.execute(params![schedule, tick])?;
    let hold = "INSERT INTO tegami_ticks (schedule, tick, holder, held_until) VALUES (?1, ?2, ?3, ?4) \
                ON CONFLICT (schedule, tick) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until";
    sql.prepare_cached(hold)?.execute(params![schedule, tick, claim.holder, until(claim)]).map(drop)
}

/// Forgets some of the ticks that were left unfinished long ago.
fn forget(sql: &Connection, claim: &Claim) -> rusqlite::Result<()> {
    let delete = "DELETE FROM tegami_ticks WHERE (schedule, tick) IN (SELECT schedule, tick FROM tegami_ticks \
                  WHERE schedule = ?1 AND held_until < ?2 ORDER BY tick LIMIT ?3)";
    let oldest = number(claim.now).saturating_sub(milliseconds(KEPT));
    sql.prepare_cached(delete)?.execute(params![claim.schedule, oldest, AT_ONCE]).map(drop)
}
