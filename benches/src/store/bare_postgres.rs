//! sqlx with the statements of tegami's store, on tegami's tables.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    hint::black_box,
};

use futures_util::{StreamExt, stream};
use sqlx::{
    AssertSqlSafe, PgConnection, Row as _,
    postgres::{PgPool, PgRow},
};

use super::{Appends, Hand, PAGE, PASSES, STREAM, Template, coded, event, now};
use crate::broker::meter::{Cost, Mark};

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = 5000; \
                     SET LOCAL statement_timeout = 15000; SET LOCAL idle_in_transaction_session_timeout = 10000";
const LOCK: &str = "SELECT CASE WHEN alone THEN pg_advisory_xact_lock(lock)::text \
                    ELSE pg_advisory_xact_lock_shared(lock)::text END FROM unnest($1::bigint[], $2::bool[]) l (lock, alone)";
const STATE: &str = "SELECT current_setting('transaction_isolation'), coalesce(version, 0), coalesce(epoch, 0), \
                     EXISTS (SELECT FROM unnest($2::text[]) new (id) WHERE \
                     (SELECT true FROM @.events known WHERE known.id = new.id)) FROM (SELECT) one LEFT JOIN \
                     (SELECT version, epoch FROM @.events WHERE stream = $1 ORDER BY version DESC LIMIT 1) last ON true";
const INSERT: &str = "WITH recorded AS (\
     INSERT INTO @.events (epoch, stream, version, id, event, contract_version, time, encoding, payload, head) \
     SELECT greatest($1, pg_current_xact_id()::text::bigint + (SELECT shift FROM @.epochs)), $2, entry.* \
     FROM unnest($3::bigint[], \
     $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bytea[], $10::text[]) entry \
     RETURNING epoch, number, version\
     ), tagged AS (\
     INSERT INTO @.tags (name, value, epoch, number) SELECT tag.name, tag.value, epoch, number FROM recorded \
     JOIN unnest($11::bigint[], $12::text[], $13::text[]) tag (version, name, value) USING (version)) \
     SELECT epoch, number, pg_notify($14, '') FROM recorded ORDER BY version DESC LIMIT 1";
const COLUMNS: &str = "epoch, number, stream, version, id, event, contract_version, time, encoding, payload, head";

/// A pool, and the tables of a schema that tegami has made.
#[derive(Debug)]
pub struct Tables {
    pool: PgPool,
    schema: String,
    lock: String,
    state: String,
    insert: String,
}

impl Tables {
    /// Those of this schema.
    pub fn new(pool: PgPool, schema: &str) -> Self {
        let [state, insert] = [STATE, INSERT].map(|text| text.replace('@', schema));
        Self { pool, schema: schema.to_owned(), lock: LOCK.to_owned(), state, insert }
    }

    /// What tegami wrote for the one event that is there.
    ///
    /// # Errors
    /// There is none.
    pub async fn template(&self) -> sqlx::Result<Template> {
        let sql = format!("SELECT encoding, payload, head FROM {}.events", self.schema);
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&self.pool).await?;
        Ok(Template::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    }

    /// Appends.
    ///
    /// # Panics
    /// PostgreSQL does not take it.
    pub async fn append(&self, template: &Template, appends: Appends, hand: Hand) -> Cost {
        let (mark, made) = (Mark::now(), (template, hand));
        let each = stream::iter(1..=appends.count).map(|number| self.append_one(made, number, appends.events));
        each.buffer_unordered(appends.at_once).for_each(async |done| done.expect("it is recorded")).await;
        mark.cost(appends.all())
    }

    async fn append_one(&self, made: Made<'_>, number: usize, events: usize) -> sqlx::Result<()> {
        let template = made.0;
        let (stream, ids) = (format!("order/{number}"), (0..events).map(|_| template.id()).collect::<Vec<_>>());
        let ids: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
        let mut transaction = self.pool.begin_with(BEGIN).await?;
        self.lock(&mut transaction, template, &stream).await?;
        let state = sqlx::query(AssertSqlSafe(&*self.state)).bind(&stream).bind(&ids);
        let state = state.fetch_one(&mut *transaction).await?;
        assert_eq!((state.try_get::<i64, _>(1)?, state.try_get(3)?), (0, false), "the stream is known");
        self.insert(&mut transaction, made, &stream, &ids).await?;
        transaction.commit().await
    }

    async fn lock(&self, connection: &mut PgConnection, template: &Template, stream: &str) -> sqlx::Result<()> {
        let number = |what: &[&str]| {
            let mut hasher = DefaultHasher::new();
            (&self.schema, what).hash(&mut hasher);
            hasher.finish().cast_signed()
        };
        let mut locks = vec![number(&[]), number(&["event", template.event]), number(&["stream", stream])];
        locks.extend(template.tags.iter().map(|(name, value)| number(&["tag", name, value])));
        let alone = vec![false, false, true, false, false];
        sqlx::query(AssertSqlSafe(&*self.lock)).bind(locks).bind(alone).execute(connection).await.map(drop)
    }

    async fn insert(
        &self,
        connection: &mut PgConnection,
        (template, hand): Made<'_>,
        stream: &str,
        ids: &[&str],
    ) -> sqlx::Result<()> {
        let Template { event, encoding, tags, .. } = template;
        let count = ids.len();
        let (payloads, heads): (Vec<_>, Vec<_>) = ids.iter().map(|_| template.bytes(hand)).unzip();
        let versions: Vec<i64> = (1..=count as i64).collect();
        let tagged: Vec<i64> = versions.iter().flat_map(|version| [*version; 2]).collect();
        let (names, values): (Vec<_>, Vec<_>) =
            versions.iter().flat_map(|_| tags.iter().map(|(name, value)| (*name, &**value))).unzip();
        let query = sqlx::query(AssertSqlSafe(&*self.insert)).bind(0_i64).bind(stream).bind(versions).bind(ids);
        let query = query.bind(vec![*event; count]).bind(vec![1_i64; count]).bind(vec![now(); count]);
        let query = query
            .bind(vec![&**encoding; count])
            .bind(payloads.iter().map(|bytes| &**bytes).collect::<Vec<_>>())
            .bind(heads);
        let query = query.bind(tagged).bind(names).bind(values).bind(format!("{}_events", self.schema));
        query.fetch_one(connection).await.map(drop)
    }

    /// Reads each stream.
    ///
    /// # Errors
    /// PostgreSQL does not read it.
    pub async fn read(&self, streams: usize, hand: Hand) -> sqlx::Result<Cost> {
        match hand {
            Hand::Bare => self.read_as(streams, row).await,
            Hand::Coded => self.read_as(streams, coded_row).await,
        }
    }

    async fn read_as<T>(&self, streams: usize, row: fn(&PgRow) -> sqlx::Result<T>) -> sqlx::Result<Cost> {
        let select = format!(
            "SELECT {COLUMNS} FROM {}.events WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3",
            self.schema
        );
        let (mark, sql) = (Mark::now(), page(&select, "version"));
        for number in (0..PASSES).flat_map(|_| 0..streams) {
            let query = sqlx::query(AssertSqlSafe(&*sql)).bind(format!("order/{number}")).bind(0_i64).bind(256_i64);
            let rows = query.fetch_all(&self.pool).await?;
            let found = rows.iter().map(row).collect::<sqlx::Result<Vec<_>>>()?;
            assert_eq!(black_box(found).len(), STREAM);
        }
        Ok(mark.cost(PASSES * streams * STREAM))
    }

    /// Finds all by their type, in pages.
    ///
    /// # Errors
    /// PostgreSQL does not read it.
    pub async fn find(&self, name: &str, streams: usize, hand: Hand) -> sqlx::Result<Cost> {
        match hand {
            Hand::Bare => self.find_as(name, streams, row).await,
            Hand::Coded => self.find_as(name, streams, coded_row).await,
        }
    }

    async fn find_as<T>(&self, name: &str, streams: usize, row: fn(&PgRow) -> sqlx::Result<T>) -> sqlx::Result<Cost> {
        let events = format!("{}.events", self.schema);
        let end = format!(
            "SELECT epoch, number FROM {events} WHERE epoch < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + \
             (SELECT shift FROM {}.epochs) ORDER BY epoch DESC, number DESC LIMIT 1",
            self.schema
        );
        let which = "(t0.epoch, t0.number) > ($1, $2) AND (t0.epoch, t0.number) <= ($4, $5)";
        let part = format!(
            "SELECT epoch, number FROM (SELECT t0.epoch, t0.number FROM {events} t0 WHERE {which} AND t0.event = $6 \
             ORDER BY t0.epoch, t0.number LIMIT $3) part"
        );
        let place = "t0.epoch, t0.number";
        let select = format!("SELECT {COLUMNS} FROM {events} t0 WHERE ({place}) IN ({part}) ORDER BY {place} LIMIT $3");
        let (sql, mark, mut after, mut all) = (page(&select, "epoch, number"), Mark::now(), (0_i64, 0_i64), 0);
        while all < PASSES * streams * STREAM {
            if all % (streams * STREAM) == 0 {
                after = (0, 0);
            }
            let end: (i64, i64) = sqlx::query_as(AssertSqlSafe(&*end)).fetch_one(&self.pool).await?;
            assert!(end > after, "{all} are there");
            let query = sqlx::query(AssertSqlSafe(&*sql)).bind(after.0).bind(after.1).bind(PAGE as i64);
            let rows = query.bind(end.0).bind(end.1).bind(name).fetch_all(&self.pool).await?;
            let found = rows.iter().map(|found| Ok((self::place(found)?, row(found)?)));
            let found = found.collect::<sqlx::Result<Vec<_>>>()?;
            after = found.last().expect("they are there").0;
            all += black_box(found).len();
        }
        Ok(mark.cost(all))
    }
}

/// As many of them as are small enough together.
fn page(select: &str, order: &str) -> String {
    let size = "octet_length(payload) + octet_length(head)";
    let before = format!("sum({size}) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) - {size} AS before");
    format!(
        "SELECT {COLUMNS}, found FROM (SELECT *, {before}, count(*) OVER () AS found FROM ({select}) chosen) page \
         WHERE before < 16777216 ORDER BY {order}"
    )
}

type Made<'a> = (&'a Template, Hand);
type Row = ((i64, i64), (String, i64, String, String, i64, i64, String, String), crate::event::Bare);

fn row(row: &PgRow) -> sqlx::Result<Row> {
    let known = (
        row.try_get(2)?,
        row.try_get(3)?,
        row.try_get(4)?,
        row.try_get(5)?,
        row.try_get(6)?,
        row.try_get(7)?,
        row.try_get(8)?,
        row.try_get(10)?,
    );
    let payload: &[u8] = row.try_get(9)?;
    Ok((place(row)?, known, event(payload)))
}

fn place(row: &PgRow) -> sqlx::Result<(i64, i64)> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn coded_row(row: &PgRow) -> sqlx::Result<coded::Stored<(i64, i64)>> {
    let columns = coded::Columns {
        position: place(row)?,
        stream: row.try_get(2)?,
        version: row.try_get(3)?,
        id: row.try_get(4)?,
        name: row.try_get(5)?,
        time: row.try_get(7)?,
        payload: row.try_get(9)?,
        head: row.try_get(10)?,
    };
    Ok(columns.decoded())
}
