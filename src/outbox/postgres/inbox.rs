//! The ids of messages whose effects were committed.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, postgres::PgPool};

use crate::{
    outbox::{Mark, Marked, sql::number},
    time::epoch::milliseconds,
};

/// Notes that a message is handled; none if it was forgotten meanwhile, and has to be noted anew.
pub(super) async fn mark(schema: &str, connection: &mut PgConnection, mark: &Mark) -> sqlx::Result<Option<Marked>> {
    let Mark { subscription, id, digest } = mark;
    // It waits for another transaction that notes the same, until that ends.
    let sql =
        format!("INSERT INTO \"{schema}\".inbox (subscription, id, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
    let insert = sqlx::query(AssertSqlSafe(sql)).bind(subscription).bind(id.as_str()).bind(&digest[..]);
    if insert.execute(&mut *connection).await?.rows_affected() == 1 {
        return Ok(Some(Marked::New));
    }
    let sql = format!("SELECT digest = $3 FROM \"{schema}\".inbox WHERE subscription = $1 AND id = $2");
    let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(subscription).bind(id.as_str()).bind(&digest[..]);
    let same: Option<bool> = query.fetch_optional(connection).await?;
    Ok(same.map(|same| if same { Marked::Known } else { Marked::Other }))
}

/// Forgets the oldest of the marks that were made so long ago, at most so many; how many they were.
pub(super) async fn forget(schema: &str, pool: &PgPool, older_than: Duration, most: usize) -> sqlx::Result<usize> {
    // What another process forgets meanwhile is not waited for. Which they are is looked for once, however the rest is planned.
    let sql = format!(
        "DELETE FROM \"{schema}\".inbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM \"{schema}\".inbox \
         WHERE time < now() - $1 * interval '1 millisecond' ORDER BY time LIMIT $2 FOR UPDATE SKIP LOCKED))"
    );
    // A thousand years ago there is a time that PostgreSQL has.
    let longest = Duration::from_secs(1000 * 365 * 24 * 60 * 60);
    let delete = sqlx::query(AssertSqlSafe(sql)).bind(milliseconds(older_than.min(longest))).bind(number(most));
    let deleted = delete.execute(pool).await?.rows_affected();
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}
