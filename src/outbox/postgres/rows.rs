//! The rows of the outbox.
//!
//! What is taken and what is settled comes one after the other, by a lock that ends with its transaction: whoever takes
//! sees all that others have.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, Row as _, postgres::PgPool, postgres::PgRow};

use crate::{
    error::BoxError,
    outbox::{
        Claim, Claimed, Fate, Kept, Parked, Row,
        sql::{BYTES, number, unreadable},
    },
    store::postgres::{locks, tables::outbox_channel, text::read},
    time::epoch::{LONGEST_HOLD, milliseconds},
};

/// Takes rows, inside a transaction that ends soon.
pub(super) async fn take(schema: &str, connection: &mut PgConnection, claim: &Claim) -> sqlx::Result<Vec<Claimed>> {
    alone(schema, connection).await?;
    let query = sqlx::query(AssertSqlSafe(free_ones(schema))).bind(number(claim.most));
    // Planned each time, for what it is planned by changes as fast.
    let query = query.bind(milliseconds(claim.hold.min(LONGEST_HOLD))).bind(&claim.relay).persistent(false);
    let (mut taken, mut damaged) = (Vec::new(), (Vec::new(), Vec::new()));
    for row in query.fetch_all(&mut *connection).await? {
        let number: i64 = row.try_get(0)?;
        let refusals: i32 = row.try_get(1)?;
        match of_columns(&row) {
            Ok(row) => taken.push(Claimed::new(number.unsigned_abs(), refusals.unsigned_abs(), row)),
            Err(error) => {
                damaged.0.push(number);
                damaged.1.push(text(&unreadable(&error.to_string())));
            }
        }
    }
    if !damaged.0.is_empty() {
        // What nobody can read keeps nobody waiting.
        let sql = fated(schema, &format!("free_at = '-infinity', parked = true, reason = {REASON}"));
        let park = sqlx::query(AssertSqlSafe(sql)).bind(&claim.relay).bind(damaged.0).bind(damaged.1);
        park.bind(Vec::<i64>::new()).execute(connection).await?;
    }
    taken.sort_by_key(|claimed| claimed.number);
    Ok(taken)
}

/// Waits until nobody else takes or settles. What follows in the transaction goes by the indexes.
///
/// An outbox is mostly empty, and is when PostgreSQL counts its rows: as soon as thousands wait, or dead ones are not yet
/// cleared away, a plan for an empty table reads all of them for each page.
async fn alone(schema: &str, connection: &mut PgConnection) -> sqlx::Result<()> {
    let lock = locks::number(schema, &["outbox"]);
    let sql = "SELECT pg_advisory_xact_lock($1), set_config('enable_seqscan', 'off', true), \
        set_config('enable_sort', 'off', true), set_config('jit', 'off', true)";
    sqlx::query(sql).bind(lock).execute(connection).await.map(drop)
}

/// The statement that takes rows which nobody has, and none before them in their lane. Whether somebody has one before is
/// looked for row by row: a join would begin with all that there are. The page is an array, which is made once: joined to
/// the rows it would be made anew for each of them, where PostgreSQL believes that there is none.
fn free_ones(schema: &str) -> String {
    let held = |row: &str| {
        let now = "statement_timestamp()";
        let longest = LONGEST_HOLD.as_secs();
        format!("{row}.free_at > {now} AND {row}.free_at <= {now} + interval '{longest} seconds'")
    };
    let size = "octet_length(body) + coalesce(octet_length(payload), 0)";
    format!(
        "UPDATE \"{schema}\".outbox SET free_at = statement_timestamp() + $2 * interval '1 millisecond', relay = $3 \
         WHERE number = ANY (ARRAY(SELECT number FROM \
         (SELECT number, size, sum(size) OVER (ORDER BY number ROWS UNBOUNDED PRECEDING) AS upto FROM \
         (SELECT number, {size} AS size FROM \"{schema}\".outbox one WHERE NOT parked AND NOT ({}) \
         AND (due IS NULL OR due <= statement_timestamp()) AND \
         (SELECT true FROM \"{schema}\".outbox before WHERE before.lane = one.lane AND NOT before.parked \
         AND before.number < one.number AND {} LIMIT 1) IS NULL ORDER BY number LIMIT $1) free) page \
         WHERE upto <= {BYTES} OR upto = size)) RETURNING number, refusals, id, event, key, head, body, payload",
        held("one"),
        held("before")
    )
}

fn of_columns(columns: &PgRow) -> Result<Row, BoxError> {
    let key: Option<String> = columns.try_get(4)?;
    let known = (columns.try_get(2)?, columns.try_get(3)?, key.as_deref().map(read));
    let payload = columns.try_get::<Option<Vec<u8>>, _>(7)?.map(Into::into);
    Kept::new(known, columns.try_get(5)?, columns.try_get::<Vec<u8>, _>(6)?, payload).row()
}

/// A row's own among those that [`fated`] is given.
const REASON: &str = "($3::text[])[array_position($2::bigint[], number)]";
const WAIT: &str = "($4::bigint[])[array_position($2::bigint[], number)]";

/// The statement that sets this for rows of a relay (`$1`): their numbers, reasons and milliseconds follow. Nobody has them
/// then, but one had: where the broker's answer never came, it may have them.
fn fated(schema: &str, set: &str) -> String {
    format!("UPDATE \"{schema}\".outbox SET relay = '', {set} WHERE number = ANY ($2) AND relay = $1")
}

/// Rows with the same fate.
#[derive(Default)]
struct Alike {
    numbers: Vec<i64>,
    reasons: Vec<String>,
    waits: Vec<i64>,
}

impl Alike {
    fn add(&mut self, number: u64, reason: &str, wait: Duration) {
        self.numbers.push(number.cast_signed());
        self.reasons.push(text(reason));
        self.waits.push(milliseconds(wait.min(LONGEST_HOLD)));
    }

    async fn set(self, connection: &mut PgConnection, relay: &str, sql: String) -> sqlx::Result<()> {
        if self.numbers.is_empty() {
            return Ok(());
        }
        let update = sqlx::query(AssertSqlSafe(sql)).bind(relay).bind(self.numbers).bind(self.reasons).bind(self.waits);
        update.persistent(false).execute(connection).await.map(drop)
    }
}

/// Notes what became of rows, inside a transaction that ends soon.
pub(super) async fn settle(
    schema: &str,
    connection: &mut PgConnection,
    claim: &Claim,
    fates: &[(u64, Fate)],
) -> sqlx::Result<()> {
    let (mut sent, [mut back, mut refused, mut parked]) = (Vec::new(), std::array::from_fn(|_| Alike::default()));
    for (number, fate) in fates {
        match fate {
            Fate::Sent => sent.push(number.cast_signed()),
            Fate::Back => back.add(*number, "", Duration::ZERO),
            Fate::Refused { again_in, reason } => refused.add(*number, reason, *again_in),
            Fate::Parked { reason } => parked.add(*number, reason, Duration::ZERO),
        }
    }
    alone(schema, connection).await?;
    // Whoever has it meanwhile may find it gone.
    let delete = format!("DELETE FROM \"{schema}\".outbox WHERE number = ANY ($1)");
    sqlx::query(AssertSqlSafe(delete)).bind(sent).execute(&mut *connection).await?;
    let free = "free_at = '-infinity'";
    let wait = format!("free_at = statement_timestamp() + {WAIT} * interval '1 millisecond'");
    let counted = format!("refusals = refusals + 1, reason = {REASON}");
    back.set(connection, &claim.relay, fated(schema, free)).await?;
    refused.set(connection, &claim.relay, fated(schema, &format!("{wait}, {counted}"))).await?;
    parked.set(connection, &claim.relay, fated(schema, &format!("{free}, {counted}, parked = true"))).await
}

/// How long until the next one is due that is not.
pub(super) async fn next_due(schema: &str, pool: &PgPool) -> sqlx::Result<Option<Duration>> {
    let now = "statement_timestamp()";
    let query = format!(
        "SELECT ceil(extract(epoch FROM min(due) - {now}) * 1000)::bigint FROM \"{schema}\".outbox \
         WHERE NOT parked AND due IS NOT NULL AND due > {now}"
    );
    let left: Option<i64> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await?;
    Ok(left.map(|left| Duration::from_millis(left.unsigned_abs())))
}

pub(super) async fn waiting(schema: &str, pool: &PgPool) -> sqlx::Result<u64> {
    let query = format!(
        "SELECT count(*) FROM \"{schema}\".outbox one WHERE NOT parked AND NOT (due IS NOT NULL AND relay IS NULL \
         AND EXISTS (SELECT FROM \"{schema}\".timeouts timeout WHERE timeout.id = one.id))"
    );
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.map(i64::unsigned_abs)
}

pub(super) async fn parked(schema: &str, pool: &PgPool, most: usize) -> sqlx::Result<Vec<Parked>> {
    let query = format!(
        "SELECT id, event, key, refusals, coalesce(reason, '') FROM \"{schema}\".outbox WHERE parked \
         ORDER BY number LIMIT $1"
    );
    let rows = sqlx::query_as::<_, (String, String, Option<String>, i32, String)>(AssertSqlSafe(query));
    let rows = rows.bind(number(most)).fetch_all(pool).await?;
    let parked = |(id, event, key, refusals, reason): (_, _, Option<String>, i32, _)| {
        let key = key.as_deref().map(read);
        Parked { id, event, key, refusals: refusals.unsigned_abs(), reason }
    };
    Ok(rows.into_iter().map(parked).collect())
}

pub(super) async fn unpark(schema: &str, pool: &PgPool, id: &str) -> sqlx::Result<bool> {
    let update = format!(
        "UPDATE \"{schema}\".outbox SET parked = false, refusals = 0 WHERE id = $1 AND parked RETURNING pg_notify($2, '')"
    );
    let update = sqlx::query(AssertSqlSafe(update)).bind(id).bind(outbox_channel(schema));
    Ok(!update.fetch_all(pool).await?.is_empty())
}

/// A reason as PostgreSQL takes it.
fn text(reason: &str) -> String {
    reason.replace('\u{0}', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;
    use tegami_test_servers::Postgres as Server;

    use super::*;
    use crate::store::{EventStore, Postgres};

    /// Rows that are on a page, and those that are in the outbox.
    const PAGE: usize = 100;
    const FULL: usize = 5_000;

    /// How many blocks PostgreSQL looks at, as it plans this now, to take a page and to give it back.
    async fn blocks(connection: &mut PgConnection) -> (usize, String) {
        let mut transaction = connection.begin().await.expect("it begins");
        alone("tegami", &mut transaction).await.expect("nobody else takes");
        let explain = |sql: String| AssertSqlSafe(format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}"));
        let take = sqlx::query_scalar(explain(free_ones("tegami"))).bind(number(PAGE)).bind(60_000_i64).bind("relay");
        let mut lines: Vec<String> = take.persistent(false).fetch_all(&mut *transaction).await.expect("it is planned");
        let taken = sqlx::query_scalar("SELECT number FROM tegami.outbox WHERE relay = 'relay'");
        let taken: Vec<i64> = taken.fetch_all(&mut *transaction).await.expect("it can be read");
        assert_eq!(taken.len(), PAGE);
        let (reasons, waits) = (vec!["because"; PAGE], vec![0_i64; PAGE]);
        let fated = explain(fated("tegami", &format!("reason = {REASON}, free_at = now() + {WAIT} * interval '1 s'")));
        let give = sqlx::query_scalar(fated).bind("relay").bind(taken).bind(reasons).bind(waits).persistent(false);
        let more: Vec<String> = give.fetch_all(&mut *transaction).await.expect("it is planned");
        lines.extend(more);
        (sum(&lines), lines.join("\n"))
    }

    /// Those of whole statements: what is further in is counted there.
    fn sum(lines: &[String]) -> usize {
        let whole = lines.iter().filter_map(|line| line.strip_prefix("  Buffers: shared "));
        let counts = whole.flat_map(|line| line.split(' ').filter_map(|count| count.split_once('=')));
        let looked = counts.filter(|(name, _)| ["hit", "read"].contains(name));
        looked.map(|(_, count)| count.parse::<usize>().expect("a number")).sum()
    }

    #[tokio::test]
    async fn a_page_costs_what_is_on_it_however_large_postgresql_believes_the_outbox_to_be() {
        let server = Server::take().await;
        let mut connection = PgConnection::connect(&server.url()).await.expect("it can be reached");
        let store = Postgres::connect(server.url()).await.expect("it can be opened");
        let fill = format!(
            "INSERT INTO tegami.outbox (id, event, key, lane, head, body) \
             SELECT number, 'event', number, number, '{{}}', '\\x00' FROM generate_series(1, {FULL}) number"
        );
        let delete = "DELETE FROM tegami.outbox";
        let states: [(_, &[&str]); 4] = [
            ("never looked at", &[&fill]),
            ("seen empty, its pages left", &[delete, "VACUUM (TRUNCATE false) tegami.outbox", &fill]),
            ("seen full", &["ANALYZE tegami.outbox"]),
            ("seen empty, without a page", &[delete, "VACUUM FULL ANALYZE tegami.outbox", &fill]),
        ];
        for (state, steps) in states {
            for sql in steps {
                sqlx::query(AssertSqlSafe(*sql)).execute(&mut connection).await.expect(state);
            }
            let (blocks, plan) = blocks(&mut connection).await;
            assert!((PAGE..100 * PAGE).contains(&blocks), "{state}: {blocks} blocks\n{plan}");
            assert!(!plan.contains("Seq Scan") && !plan.contains("Sort"), "{state}:\n{plan}");
        }
        store.close().await;
    }
}
