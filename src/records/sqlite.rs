//! Queues of recorded events in an SQLite file.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use rusqlite::{Connection, Params, Row, params};

use super::queues::{BEGUN, Counts, Kept, Queues, Sorting, Standing};
use crate::{
    outbox::{
        DatabaseError,
        sql::{number as limit, of_store},
        sqlite::{Database, Tx},
    },
    store::Position,
    time::epoch::{self, milliseconds_of},
};

const SELECT: &str =
    "SELECT number, epoch, event, key, attempt, first, due, standing, reason FROM tegami_deliveries WHERE queue = ?1";

#[async_trait]
impl Queues for Database {
    async fn note(&self, tx: &mut Tx, queue: &str, done: &[Position], kept: &[Kept]) -> Result<(), DatabaseError> {
        let (queue, done, kept) = (queue.to_owned(), done.to_vec(), kept.to_vec());
        tx.run(move |sql| note(sql, &queue, &done, &kept)).await
    }

    async fn kept(&self, queue: &str) -> Result<Vec<Kept>, DatabaseError> {
        let queue = queue.to_owned();
        let read = move |sql: &Connection| {
            let query = format!("{SELECT} AND standing = 0 ORDER BY epoch, event");
            found(sql, &query, [queue]).map(without_numbers)
        };
        self.store().read(read).await.map_err(of_store)
    }

    async fn back(&self, queue: &str, most: usize) -> Result<Vec<Kept>, DatabaseError> {
        let (queue, most) = (queue.to_owned(), limit(most));
        let read = move |sql: &Connection| {
            let query = format!("{SELECT} AND standing = 1 ORDER BY number LIMIT ?2");
            found(sql, &query, params![queue, most]).map(without_numbers)
        };
        self.store().read(read).await.map_err(of_store)
    }

    async fn dead(&self, queue: &str, most: usize) -> Result<Vec<(u64, Kept)>, DatabaseError> {
        let (queue, most) = (queue.to_owned(), limit(most));
        let read = move |sql: &Connection| {
            let query = format!("{SELECT} AND standing = 2 ORDER BY number LIMIT ?2");
            found(sql, &query, params![queue, most])
        };
        self.store().read(read).await.map_err(of_store)
    }

    async fn counts(&self, queue: &str, now: SystemTime) -> Result<Counts, DatabaseError> {
        let (queue, now) = (queue.to_owned(), milliseconds_of(now));
        let read = move |sql: &Connection| {
            let query = "SELECT count(*) FILTER (WHERE standing < 2 AND due <= ?2), count(*) FILTER (WHERE standing = 2) \
                         FROM tegami_deliveries WHERE queue = ?1";
            let counts = |row: &Row<'_>| {
                let (due, dead): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(Counts::new(due.unsigned_abs(), dead.unsigned_abs()))
            };
            sql.prepare_cached(query)?.query_row(params![queue, now], counts)
        };
        self.store().read(read).await.map_err(of_store)
    }

    async fn last_dead(&self, queue: &str) -> Result<u64, DatabaseError> {
        let queue = queue.to_owned();
        let read = move |sql: &Connection| {
            let query = "SELECT coalesce(max(number), 0) FROM tegami_deliveries WHERE queue = ?1 AND standing = 2";
            sql.prepare_cached(query)?.query_row([queue], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
        };
        self.store().read(read).await.map_err(of_store)
    }

    async fn take_dead(
        &self,
        tx: &mut Tx,
        sorting: &Sorting,
        between: (u64, u64),
        most: usize,
    ) -> Result<Vec<(u64, Kept)>, DatabaseError> {
        let sorting = sorting.clone();
        tx.run(move |sql| take_dead(sql, &sorting, between, most)).await
    }

    async fn put_back(&self, tx: &mut Tx, sorting: &Sorting, number: u64) -> Result<bool, DatabaseError> {
        let update = "UPDATE tegami_deliveries SET standing = 1, reason = NULL, attempt = 1, first = 0, due = 0, \
                      sorter = NULL WHERE queue = ?1 AND sorter = ?2 AND number = ?3 AND standing = 2";
        changes(tx, update, sorting, number).await
    }

    async fn drop_dead(&self, tx: &mut Tx, sorting: &Sorting, number: u64) -> Result<bool, DatabaseError> {
        let delete = "DELETE FROM tegami_deliveries WHERE queue = ?1 AND sorter = ?2 AND number = ?3 AND standing = 2";
        changes(tx, delete, sorting, number).await
    }

    async fn let_go(&self, tx: &mut Tx, sorting: &Sorting) -> Result<(), DatabaseError> {
        let Sorting { queue, sorter, .. } = sorting.clone();
        let update = "UPDATE tegami_deliveries SET sorter = NULL WHERE queue = ?1 AND standing = 2 AND sorter = ?2";
        tx.run(move |sql| sql.prepare_cached(update)?.execute([queue, sorter])).await.map(drop)
    }

    async fn delete_after(&self, tx: &mut Tx, queue: &str, after: Position) -> Result<u64, DatabaseError> {
        let values = (queue.to_owned(), after.epoch().cast_signed(), after.number().cast_signed());
        let delete = "DELETE FROM tegami_deliveries WHERE queue = ?1 AND (epoch, event) > (?2, ?3)";
        tx.run(move |sql| Ok(sql.execute(delete, values)? as u64)).await
    }
}

async fn changes(tx: &mut Tx, statement: &'static str, sorting: &Sorting, number: u64) -> Result<bool, DatabaseError> {
    let Sorting { queue, sorter, .. } = sorting.clone();
    let work = move |sql: &Connection| {
        Ok(sql.prepare_cached(statement)?.execute(params![queue, sorter, number.cast_signed()])? == 1)
    };
    tx.run(work).await
}

fn note(sql: &Connection, queue: &str, done: &[Position], kept: &[Kept]) -> rusqlite::Result<()> {
    let mut delete =
        sql.prepare_cached("DELETE FROM tegami_deliveries WHERE queue = ?1 AND epoch = ?2 AND event = ?3")?;
    for position in done.iter().chain(kept.iter().map(|kept| &kept.position)) {
        delete.execute(params![queue, position.epoch().cast_signed(), position.number().cast_signed()])?;
    }
    let mut insert = sql.prepare_cached(
        "INSERT INTO tegami_deliveries (queue, epoch, event, key, attempt, first, due, standing, reason) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for Kept { position, key, attempt, first, due, standing } in kept {
        let (epoch, event) = (position.epoch().cast_signed(), position.number().cast_signed());
        let (standing, reason) = match standing {
            Standing::Waits => (0, None),
            Standing::Begun => (0, Some(BEGUN)),
            Standing::Back => (1, None),
            Standing::Dead(reason) => (2, Some(&**reason)),
        };
        let first = first.map_or(0, |first| milliseconds_of(first).max(1));
        insert.execute(params![queue, epoch, event, key, attempt, first, milliseconds_of(*due), standing, reason])?;
    }
    Ok(())
}

fn take_dead(
    sql: &Connection,
    Sorting { queue, sorter, now, until }: &Sorting,
    (after, upto): (u64, u64),
    most: usize,
) -> rusqlite::Result<Vec<(u64, Kept)>> {
    let query = format!(
        "{SELECT} AND standing = 2 AND number > ?2 AND number <= ?3 AND (sorter IS NULL OR sorted_until <= ?4) \
         ORDER BY number LIMIT ?5"
    );
    let values = params![queue, after.cast_signed(), upto.cast_signed(), milliseconds_of(*now), limit(most)];
    let taken = found(sql, &query, values)?;
    let mut hold =
        sql.prepare_cached("UPDATE tegami_deliveries SET sorter = ?2, sorted_until = ?3 WHERE number = ?1")?;
    for (number, _) in &taken {
        hold.execute(params![number.cast_signed(), sorter, milliseconds_of(*until)])?;
    }
    Ok(taken)
}

fn found(sql: &Connection, query: &str, values: impl Params) -> rusqlite::Result<Vec<(u64, Kept)>> {
    sql.prepare_cached(query)?.query_map(values, read)?.collect()
}

fn without_numbers(found: Vec<(u64, Kept)>) -> Vec<Kept> {
    found.into_iter().map(|(_, kept)| kept).collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<(u64, Kept)> {
    let place = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let time = |column| Ok::<_, rusqlite::Error>(epoch::time(row.get(column)?, Duration::from_millis));
    let first = Some(time(5)?).filter(|first| *first > SystemTime::UNIX_EPOCH);
    let standing = match row.get(7)? {
        0 if row.get::<_, Option<String>>(8)?.is_some() => Standing::Begun,
        0 => Standing::Waits,
        1 => Standing::Back,
        _ => Standing::Dead(row.get::<_, Option<String>>(8)?.unwrap_or_default()),
    };
    let kept = Kept::new(Position::in_epoch(place(1)?, place(2)?), row.get(4)?);
    Ok((place(0)?, Kept { key: row.get(3)?, first, due: time(6)?, standing, ..kept }))
}
