//! Queues of recorded events in PostgreSQL.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, PgConnection, PgExecutor, Row as _, postgres::PgRow};

use super::queues::{BEGUN, Counts, Kept, Queues, Sorting, Standing};
use crate::{
    outbox::{
        DatabaseError,
        postgres::{Database, Tx},
        sql::number as limit,
    },
    store::{
        Position,
        postgres::text::{read as read_text, written},
    },
    time::epoch::{self, milliseconds_of},
};

#[async_trait]
impl Queues for Database {
    async fn note(&self, tx: &mut Tx, queue: &str, done: &[Position], kept: &[Kept]) -> Result<(), DatabaseError> {
        self.inside(note(self.schema(), tx, queue, (done, kept))).await
    }

    async fn kept(&self, queue: &str) -> Result<Vec<Kept>, DatabaseError> {
        let which = "standing = 0 ORDER BY epoch, event LIMIT $2";
        self.read(|| found(self.schema(), self.pool(), queue, (which, usize::MAX))).await.map(without_numbers)
    }

    async fn back(&self, queue: &str, most: usize) -> Result<Vec<Kept>, DatabaseError> {
        let which = "standing = 1 ORDER BY number LIMIT $2";
        self.read(|| found(self.schema(), self.pool(), queue, (which, most))).await.map(without_numbers)
    }

    async fn dead(&self, queue: &str, most: usize) -> Result<Vec<(u64, Kept)>, DatabaseError> {
        let which = "standing = 2 ORDER BY number LIMIT $2";
        self.read(|| found(self.schema(), self.pool(), queue, (which, most))).await
    }

    async fn counts(&self, queue: &str, now: SystemTime) -> Result<Counts, DatabaseError> {
        let sql = format!(
            "SELECT count(*) FILTER (WHERE standing < 2 AND due <= $2), count(*) FILTER (WHERE standing = 2) \
             FROM \"{}\".deliveries WHERE queue = $1",
            self.schema()
        );
        let read = || async {
            let query = sqlx::query_as(AssertSqlSafe(sql.clone())).bind(queue).bind(milliseconds_of(now));
            let (due, dead): (i64, i64) = query.fetch_one(self.pool()).await?;
            Ok(Counts::new(due.unsigned_abs(), dead.unsigned_abs()))
        };
        self.read(read).await
    }

    async fn last_dead(&self, queue: &str) -> Result<u64, DatabaseError> {
        let sql = format!(
            "SELECT coalesce(max(number), 0) FROM \"{}\".deliveries WHERE queue = $1 AND standing = 2",
            self.schema()
        );
        let read = || async {
            let query = sqlx::query_scalar(AssertSqlSafe(sql.clone())).bind(queue);
            query.fetch_one(self.pool()).await.map(i64::unsigned_abs)
        };
        self.read(read).await
    }

    async fn take_dead(
        &self,
        tx: &mut Tx,
        sorting: &Sorting,
        between: (u64, u64),
        most: usize,
    ) -> Result<Vec<(u64, Kept)>, DatabaseError> {
        self.inside(take_dead(self.schema(), tx, sorting, (between, most))).await
    }

    async fn put_back(&self, tx: &mut Tx, sorting: &Sorting, number: u64) -> Result<bool, DatabaseError> {
        let sql = format!(
            "UPDATE \"{}\".deliveries SET standing = 1, reason = NULL, attempt = 1, first = 0, due = 0, sorter = NULL \
             WHERE queue = $1 AND sorter = $2 AND number = $3 AND standing = 2",
            self.schema()
        );
        self.inside(changes(tx, sql, sorting, number)).await
    }

    async fn drop_dead(&self, tx: &mut Tx, sorting: &Sorting, number: u64) -> Result<bool, DatabaseError> {
        let sql = format!(
            "DELETE FROM \"{}\".deliveries WHERE queue = $1 AND sorter = $2 AND number = $3 AND standing = 2",
            self.schema()
        );
        self.inside(changes(tx, sql, sorting, number)).await
    }

    async fn let_go(&self, tx: &mut Tx, sorting: &Sorting) -> Result<(), DatabaseError> {
        let sql = format!(
            "UPDATE \"{}\".deliveries SET sorter = NULL WHERE queue = $1 AND standing = 2 AND sorter = $2",
            self.schema()
        );
        let update = sqlx::query(AssertSqlSafe(sql)).bind(&sorting.queue).bind(&sorting.sorter);
        self.inside(async { update.execute(&mut **tx).await.map(drop) }).await
    }

    async fn delete_after(&self, tx: &mut Tx, queue: &str, after: Position) -> Result<u64, DatabaseError> {
        let which = "queue = $1 AND (epoch, event) > ($2, $3)";
        let sql = format!("DELETE FROM \"{}\".deliveries WHERE {which}", self.schema());
        let (epoch, event) = (after.epoch().cast_signed(), after.number().cast_signed());
        let delete = sqlx::query(AssertSqlSafe(sql)).bind(queue).bind(epoch).bind(event);
        self.inside(async { Ok(delete.execute(&mut **tx).await?.rows_affected()) }).await
    }
}

async fn changes(tx: &mut PgConnection, sql: String, sorting: &Sorting, number: u64) -> sqlx::Result<bool> {
    let query = sqlx::query(AssertSqlSafe(sql)).bind(&sorting.queue).bind(&sorting.sorter);
    Ok(query.bind(number.cast_signed()).execute(tx).await?.rows_affected() == 1)
}

async fn note(
    schema: &str,
    connection: &mut PgConnection,
    queue: &str,
    (done, kept): (&[Position], &[Kept]),
) -> sqlx::Result<()> {
    let gone = || done.iter().chain(kept.iter().map(|kept| &kept.position));
    if gone().next().is_none() {
        return Ok(());
    }
    let epochs: Vec<i64> = gone().map(|position| position.epoch().cast_signed()).collect();
    let events: Vec<i64> = gone().map(|position| position.number().cast_signed()).collect();
    let delete = format!(
        "DELETE FROM \"{schema}\".deliveries one USING unnest($2::bigint[], $3::bigint[]) gone (epoch, event) \
         WHERE one.queue = $1 AND one.epoch = gone.epoch AND one.event = gone.event"
    );
    let delete = sqlx::query(AssertSqlSafe(delete)).bind(queue).bind(epochs).bind(events);
    delete.execute(&mut *connection).await?;
    if kept.is_empty() {
        return Ok(());
    }
    insert(schema, connection, queue, kept).await
}

async fn insert(schema: &str, connection: &mut PgConnection, queue: &str, kept: &[Kept]) -> sqlx::Result<()> {
    let numbers = |of: fn(&Kept) -> i64| kept.iter().map(of).collect::<Vec<i64>>();
    let standing = |kept: &Kept| match kept.standing {
        Standing::Waits | Standing::Begun => 0,
        Standing::Back => 1,
        Standing::Dead(_) => 2,
    };
    let reasons = kept.iter().map(|kept| match &kept.standing {
        Standing::Dead(reason) => Some(written(reason)),
        Standing::Begun => Some(written(BEGUN)),
        Standing::Waits | Standing::Back => None,
    });
    let insert = format!(
        "INSERT INTO \"{schema}\".deliveries (queue, epoch, event, key, attempt, first, due, standing, reason) \
         SELECT $1, epoch, event, key, attempt, first, due, standing::smallint, reason FROM unnest($2::bigint[], \
         $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[]) WITH ORDINALITY \
         one (epoch, event, key, attempt, first, due, standing, reason, place) ORDER BY place"
    );
    let query = sqlx::query(AssertSqlSafe(insert)).bind(queue);
    let query = query.bind(numbers(|kept| kept.position.epoch().cast_signed()));
    let query = query.bind(numbers(|kept| kept.position.number().cast_signed()));
    let query = query.bind(kept.iter().map(|kept| kept.key.as_deref().map(written)).collect::<Vec<_>>());
    let query = query.bind(numbers(|kept| i64::from(kept.attempt)));
    let query = query.bind(numbers(|kept| kept.first.map_or(0, |first| milliseconds_of(first).max(1))));
    let query = query.bind(numbers(|kept| milliseconds_of(kept.due)));
    let query = query.bind(kept.iter().map(standing).collect::<Vec<i64>>()).bind(reasons.collect::<Vec<_>>());
    query.execute(connection).await.map(drop)
}

const COLUMNS: &str = "number, epoch, event, key, attempt, first, due, standing, reason";

async fn found(
    schema: &str,
    from: impl PgExecutor<'_>,
    queue: &str,
    (which, most): (&str, usize),
) -> sqlx::Result<Vec<(u64, Kept)>> {
    let sql = format!("SELECT {COLUMNS} FROM \"{schema}\".deliveries WHERE queue = $1 AND {which}");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(queue).bind(limit(most));
    query.fetch_all(from).await?.iter().map(read).collect()
}

async fn take_dead(
    schema: &str,
    connection: &mut PgConnection,
    Sorting { queue, sorter, now, until }: &Sorting,
    ((after, upto), most): ((u64, u64), usize),
) -> sqlx::Result<Vec<(u64, Kept)>> {
    let sql = format!(
        "UPDATE \"{schema}\".deliveries SET sorter = $2, sorted_until = $3 WHERE number = ANY (ARRAY(\
         SELECT number FROM \"{schema}\".deliveries WHERE queue = $1 AND standing = 2 AND number > $4 \
         AND number <= $5 AND (sorter IS NULL OR sorted_until <= $6) ORDER BY number LIMIT $7 FOR UPDATE SKIP LOCKED)) \
         RETURNING {COLUMNS}"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(queue).bind(sorter).bind(milliseconds_of(*until));
    let query = query.bind(after.cast_signed()).bind(upto.cast_signed()).bind(milliseconds_of(*now)).bind(limit(most));
    let mut taken = query.fetch_all(connection).await?.iter().map(read).collect::<sqlx::Result<Vec<_>>>()?;
    taken.sort_by_key(|(number, _)| *number);
    Ok(taken)
}

fn without_numbers(found: Vec<(u64, Kept)>) -> Vec<Kept> {
    found.into_iter().map(|(_, kept)| kept).collect()
}

fn read(row: &PgRow) -> sqlx::Result<(u64, Kept)> {
    let place = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
    let time = |column: usize| Ok::<_, sqlx::Error>(epoch::time(row.try_get(column)?, Duration::from_millis));
    let text =
        |column: usize| Ok::<_, sqlx::Error>(row.try_get::<Option<String>, _>(column)?.as_deref().map(read_text));
    let first = Some(time(5)?).filter(|first| *first > SystemTime::UNIX_EPOCH);
    let standing = match row.try_get::<i16, _>(7)? {
        0 if text(8)?.is_some() => Standing::Begun,
        0 => Standing::Waits,
        1 => Standing::Back,
        _ => Standing::Dead(text(8)?.unwrap_or_default()),
    };
    let attempt = u32::try_from(place(4)?).unwrap_or(u32::MAX);
    let kept = Kept::new(Position::in_epoch(place(1)?, place(2)?), attempt);
    Ok((place(0)?, Kept { key: text(3)?, first, due: time(6)?, standing, ..kept }))
}
