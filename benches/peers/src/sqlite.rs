//! sqlx by hand on a file of tegami's, as `../../src/store/bare_sqlite.rs` has rusqlite: each event is encoded with what is kept
//! beside it, and both are decoded.

#[expect(dead_code, reason = "what was decoded is there for whoever reads it")]
#[path = "../../src/store/coded.rs"]
mod coded;

use std::{
    env,
    hint::black_box,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::{
    Row, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use uuid::Uuid;

use crate::{
    BoxError, PASSES, STREAM, Way,
    event::Bare,
    meter::{Cost, Mark},
};

/// Events of one page that is found.
const PAGE: usize = 500;
const EVENT: &str = "bench.orders.v1.OrderPaid";
const COLUMNS: &str = "position, stream, version, id, event, contract_version, time, encoding, payload, head";

type Result<T> = sqlx::Result<T>;

/// The order by hand, as coded.rs takes it.
struct Template {
    order: Bare,
}

/// What this costs.
///
/// # Errors
/// SQLite says so.
pub async fn measured(way: Way) -> std::result::Result<Cost, BoxError> {
    // As `Durability` has it: what is committed survives the loss of power, or the end of the process.
    let synchronous = match &*env::var("SQLITE_DURABILITY")? {
        "power" => SqliteSynchronous::Full,
        "process" => SqliteSynchronous::Normal,
        other => return Err(format!("no durability `{other}`").into()),
    };
    let options = SqliteConnectOptions::new().filename(env::var("SQLITE_FILE")?).synchronous(synchronous);
    // One connection: one writes at a time, and those who wait for it in the pool wait less than those whom SQLite refuses.
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let cost = match way {
        Way::Append { count, at_once, events } => append(&pool, count, at_once, events).await?,
        Way::Read { streams } => read(&pool, streams).await?,
        Way::Find { streams } => find(&pool, streams).await?,
    };
    pool.close().await;
    Ok(cost)
}

async fn append(pool: &SqlitePool, count: usize, at_once: usize, events: usize) -> Result<Cost> {
    let order = Bare { order_id: "o-1000001".to_owned(), currency: "EUR".to_owned(), amount_minor: 129_900, items: 3 };
    let template = Template { order };
    let mark = Mark::now();
    let each = stream::iter(1..=count).map(|number| append_one(pool, &template, format!("order/{number}"), events));
    each.buffer_unordered(at_once).try_collect::<()>().await?;
    Ok(mark.cost(count * events))
}

async fn append_one(pool: &SqlitePool, template: &Template, stream: String, events: usize) -> Result<()> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let ids: Vec<_> = (0..events).map(|_| Uuid::new_v4().to_string()).collect();
    let list = serde_json::to_string(&ids).expect("they are texts");
    let sql = "SELECT EXISTS (SELECT 1 FROM tegami_events WHERE id IN (SELECT value FROM json_each(?1)))";
    let known: bool = sqlx::query_scalar(sql).bind(list).fetch_one(&mut *transaction).await?;
    assert!(!known, "an id is known");
    let sql = "SELECT coalesce(max(version), 0) FROM tegami_events WHERE stream = ?1";
    let version: i64 = sqlx::query_scalar(sql).bind(&stream).fetch_one(&mut *transaction).await?;
    assert_eq!(version, 0, "the stream is known");
    for (id, version) in ids.iter().zip(1..) {
        insert(&mut transaction, template, (&stream, version), id).await?;
    }
    transaction.commit().await
}

async fn insert(
    connection: &mut SqliteConnection,
    template: &Template,
    (stream, version): (&str, i64),
    id: &str,
) -> Result<()> {
    let (payload, head) = coded::encoded(template);
    let sql = "INSERT INTO tegami_events (stream, version, id, event, contract_version, time, encoding, payload, head) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let event = sqlx::query(sql).bind(stream).bind(version).bind(id).bind(EVENT).bind(1).bind(now());
    let event = event.bind("protobuf").bind(payload).bind(head);
    let position = event.execute(&mut *connection).await?.last_insert_rowid();
    for (name, value) in [("order_id", &template.order.order_id), ("currency", &template.order.currency)] {
        let sql = "INSERT INTO tegami_tags (name, value, position) VALUES (?1, ?2, ?3)";
        sqlx::query(sql).bind(name).bind(value).bind(position).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn read(pool: &SqlitePool, streams: usize) -> Result<Cost> {
    let mark = Mark::now();
    let sql =
        format!("SELECT {COLUMNS} FROM tegami_events WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3");
    for number in (0..PASSES).flat_map(|_| 0..streams) {
        let rows = sqlx::query(&sql).bind(format!("order/{number}")).bind(0).bind(256).fetch_all(pool).await?;
        let found = rows.iter().map(stored).collect::<Result<Vec<_>>>()?;
        assert_eq!(black_box(found).len(), STREAM);
    }
    Ok(mark.cost(PASSES * streams * STREAM))
}

async fn find(pool: &SqlitePool, streams: usize) -> Result<Cost> {
    let found = "SELECT position FROM (SELECT t0.position FROM tegami_events t0 WHERE t0.position > ?1 AND t0.event = ?3 \
                 ORDER BY t0.position LIMIT ?2) part";
    let sql = format!(
        "SELECT {COLUMNS} FROM tegami_events t0 WHERE (t0.position) IN ({found}) ORDER BY t0.position LIMIT ?2"
    );
    let (mark, mut after, mut all) = (Mark::now(), 0_i64, 0);
    while all < PASSES * streams * STREAM {
        if all % (streams * STREAM) == 0 {
            after = 0;
        }
        let mut snapshot = pool.begin().await?;
        let end = "SELECT coalesce(max(position), 0) FROM tegami_events";
        let end: i64 = sqlx::query_scalar(end).fetch_one(&mut *snapshot).await?;
        assert!(end > after, "{all} are there");
        let page = sqlx::query(&sql).bind(after).bind(PAGE as i64).bind(EVENT);
        let rows = page.fetch_all(&mut *snapshot).await?;
        snapshot.commit().await?;
        let found = rows.iter().map(stored).collect::<Result<Vec<_>>>()?;
        after = found.last().expect("they are there").position;
        all += black_box(found).len();
    }
    Ok(mark.cost(all))
}

fn stored(row: &SqliteRow) -> Result<coded::Stored<i64>> {
    let columns = coded::Columns {
        position: row.try_get(0)?,
        stream: row.try_get(1)?,
        version: row.try_get(2)?,
        id: row.try_get(3)?,
        name: row.try_get(4)?,
        time: row.try_get(6)?,
        payload: row.try_get(8)?,
        head: row.try_get(9)?,
    };
    Ok(columns.decoded())
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    since.as_nanos().try_into().expect("it is earlier than 2262")
}
