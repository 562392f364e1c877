//! The rows of the outbox.

use std::time::Duration;

use rusqlite::{Connection, Row as Columns, named_params, params};

use crate::{
    error::BoxError,
    outbox::{
        Claim, Claimed, Due, Fate, Kept, Parked, Row,
        sql::{BYTES, number as as_number, unreadable},
    },
    time::epoch::{LONGEST_HOLD, milliseconds, milliseconds_of},
};

pub(super) fn put(sql: &Connection, row: &Row) -> rusqlite::Result<()> {
    let insert =
        "INSERT INTO tegami_outbox (id, event, lane, head, body, payload, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (Kept { id, event, lane, head, body, payload }, due) = (row.kept(), row.due.map_or(0, time_of));
    sql.prepare_cached(insert)?.execute(params![id, event, lane, head, &body[..], payload.as_deref(), due])?;
    Ok(())
}

/// After 1970, so that it is not 0.
fn time_of(due: Due) -> i64 {
    let (Due::At(time) | Due::In(_, time)) = due;
    milliseconds_of(time).max(1)
}

/// Rows that nobody has, and none before them in their lane.
const FREE: &str = "FROM tegami_outbox AS row WHERE parked = 0 AND NOT (free_at > :now AND free_at <= :longest) \
    AND due <= :now AND (due > 0 OR NOT EXISTS (SELECT 1 FROM tegami_outbox AS before WHERE before.lane = row.lane \
    AND before.parked = 0 AND before.due = 0 AND before.free_at > :now AND before.free_at <= :longest \
    AND before.number < row.number))";

pub(super) fn any_free(sql: &Connection, claim: &Claim) -> rusqlite::Result<bool> {
    let query = format!("SELECT EXISTS (SELECT 1 {FREE})");
    let [now, longest] = bounds(claim);
    sql.prepare_cached(&query)?.query_row(named_params! {":now": now, ":longest": longest}, |row| row.get(0))
}

pub(super) fn take(sql: &Connection, claim: &Claim) -> rusqlite::Result<Vec<Claimed>> {
    let columns = "number, refusals, id, event, lane, head, body, payload";
    let query = format!("SELECT {columns} {FREE} ORDER BY number LIMIT :most");
    let [now, longest] = bounds(claim);
    let most = as_number(claim.most);
    let mut statement = sql.prepare_cached(&query)?;
    let mut found = statement.query(named_params! {":now": now, ":longest": longest, ":most": most})?;
    let (mut taken, mut damaged, mut bytes) = (Vec::new(), Vec::new(), 0);
    while let Some(columns) = found.next()? {
        let number: i64 = columns.get(0)?;
        let claimed = match read(columns) {
            Ok(row) => Claimed::new(number.unsigned_abs(), columns.get(1)?, row),
            Err(error) => {
                damaged.push((number, error.to_string()));
                continue;
            }
        };
        bytes += claimed.row.size();
        if bytes > BYTES && !taken.is_empty() {
            break;
        }
        taken.push(claimed);
    }
    drop(found);
    // What nobody can read keeps nobody waiting.
    let mut park = sql.prepare_cached("UPDATE tegami_outbox SET parked = 1, reason = ?2 WHERE number = ?1")?;
    for (number, reason) in damaged {
        park.execute(params![number, unreadable(&reason)])?;
    }
    let until = now.saturating_add(milliseconds(claim.hold.min(LONGEST_HOLD)));
    let mut hold = sql.prepare_cached("UPDATE tegami_outbox SET free_at = ?2, relay = ?3 WHERE number = ?1")?;
    for claimed in &taken {
        hold.execute(params![claimed.number.cast_signed(), until, claim.relay])?;
    }
    Ok(taken)
}

pub(super) fn settle(sql: &Connection, claim: &Claim, fates: &[(u64, Fate)]) -> rusqlite::Result<()> {
    // Nobody has it then, but one had: where the broker's answer never came, it may have it.
    let ours = |set: &str| format!("UPDATE tegami_outbox SET relay = '', {set} WHERE number = ?1 AND relay = ?2");
    let [now, _] = bounds(claim);
    for (number, fate) in fates {
        let number = number.cast_signed();
        match fate {
            // Whoever has taken it meanwhile may find it gone.
            Fate::Sent => sql.prepare_cached("DELETE FROM tegami_outbox WHERE number = ?1")?.execute([number])?,
            Fate::Back => {
                let update = ours("free_at = 0");
                sql.prepare_cached(&update)?.execute(params![number, claim.relay])?
            }
            Fate::Refused { again_in, reason } => {
                let update = ours("free_at = ?3, refusals = refusals + 1, reason = ?4");
                let again = now.saturating_add(milliseconds((*again_in).min(LONGEST_HOLD)));
                sql.prepare_cached(&update)?.execute(params![number, claim.relay, again, reason])?
            }
            Fate::Parked { reason } => {
                let update = ours("free_at = 0, refusals = refusals + 1, reason = ?3, parked = 1");
                sql.prepare_cached(&update)?.execute(params![number, claim.relay, reason])?
            }
        };
    }
    Ok(())
}

/// How long until the next one is due that is not.
pub(super) fn next_due(sql: &Connection, claim: &Claim) -> rusqlite::Result<Option<Duration>> {
    let query = "SELECT min(due) - ?1 FROM tegami_outbox WHERE parked = 0 AND due > 0 AND due > ?1";
    let left: Option<i64> = sql.prepare_cached(query)?.query_row([milliseconds_of(claim.now)], |row| row.get(0))?;
    Ok(left.map(|left| Duration::from_millis(left.unsigned_abs())))
}

pub(super) fn waiting(sql: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT count(*) FROM tegami_outbox AS row WHERE parked = 0 AND NOT (due > 0 AND relay IS NULL \
                 AND EXISTS (SELECT 1 FROM tegami_timeouts AS timeout WHERE timeout.id = row.id))";
    sql.prepare_cached(query)?.query_row((), |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

pub(super) fn parked(sql: &Connection, most: usize) -> rusqlite::Result<Vec<Parked>> {
    let query = "SELECT id, event, lane, refusals, coalesce(reason, '') FROM tegami_outbox WHERE parked = 1 \
                 ORDER BY number LIMIT ?1";
    let read = |row: &Columns<'_>| {
        Ok(Parked { id: row.get(0)?, event: row.get(1)?, key: row.get(2)?, refusals: row.get(3)?, reason: row.get(4)? })
    };
    sql.prepare_cached(query)?.query_map([as_number(most)], read)?.collect()
}

pub(super) fn unpark(sql: &Connection, id: &str) -> rusqlite::Result<bool> {
    let update = "UPDATE tegami_outbox SET parked = 0, refusals = 0 WHERE id = ?1 AND parked = 1";
    Ok(sql.prepare_cached(update)?.execute([id])? > 0)
}

fn read(columns: &Columns<'_>) -> Result<Row, BoxError> {
    let known = (columns.get(2)?, columns.get(3)?, columns.get(4)?);
    let payload = columns.get::<_, Option<Vec<u8>>>(7)?.map(Into::into);
    Kept::new(known, columns.get(5)?, columns.get::<_, Vec<u8>>(6)?, payload).row()
}

/// Now, and the latest time that a hold can end which was begun by now.
fn bounds(claim: &Claim) -> [i64; 2] {
    let now = milliseconds_of(claim.now);
    [now, now.saturating_add(milliseconds(LONGEST_HOLD))]
}
