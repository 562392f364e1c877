//! A projection that is built from the beginning, and what the same statements cost without one. What it comes to is printed
//! as a line of JSON.
//!
//! `projections fill|rebuild|bare EVENTS`, each in a process of its own; the events are in a file of the temporary folder, which
//! one leaves for the next if `KEEP` is set. `fill` does nothing else.

use std::{env, fs, path::PathBuf, time::Duration};

use rusqlite::Connection;
use serde_json::json;
use tegami::{
    Service,
    error::BoxError,
    projection::Projection,
    sqlite::{Database, Tx},
    store::{Append, Criterion, Position, Sqlite, Store, Stored, StreamId, sqlite::Durability},
    transport::Memory,
};
use tegami_benches::event::{OrderPaid, order};
use tokio::time::Instant;

/// How many events are appended at once, and how many are handled in one commit.
const APPEND: usize = 1_000;
const BATCH: usize = 500;
const UPSERT: &str = "INSERT INTO sales VALUES (?1, ?2, 1) \
                      ON CONFLICT DO UPDATE SET amount = amount + ?2, orders = orders + 1";
const LONG: Duration = Duration::from_secs(3600);

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), BoxError> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [side, events] = &words[..] else { panic!("there are `fill EVENTS`, `rebuild EVENTS` and `bare EVENTS`") };
    let events: usize = events.parse()?;
    let path = env::temp_dir().join(format!("tegami-rebuild-{events}.db"));
    let sqlite = Sqlite::at(&path).durability(Durability::Process).connect().await?;
    let store = Store::new(sqlite.clone());
    fill(&store, events).await?;
    if side == "fill" {
        println!("null");
        store.inner().close().await;
        return Ok(());
    }
    let db = Database::of(&sqlite);
    let mut tx = db.begin().await?;
    let table = "DROP TABLE IF EXISTS sales; DELETE FROM tegami_projections; \
                 CREATE TABLE sales (currency TEXT PRIMARY KEY, amount INTEGER, orders INTEGER)";
    tx.run(|sql| sql.execute_batch(table)).await?;
    tx.commit().await?;
    match side.as_str() {
        "rebuild" => rebuild(&db, &store, events).await?,
        "bare" => bare(&path, &store, events).await?,
        other => panic!("no side `{other}`"),
    }
    let mut tx = db.begin().await?;
    let orders: i64 = tx.run(|sql| sql.query_row("SELECT sum(orders) FROM sales", (), |row| row.get(0))).await?;
    drop(tx);
    assert_eq!(orders, events as i64, "each event is there once");
    db.close().await;
    if env::var_os("KEEP").is_none() {
        fs::remove_file(path)?;
    }
    Ok(())
}

async fn fill(store: &Store, events: usize) -> Result<(), BoxError> {
    let known = store.inner().count(&Criterion::of::<OrderPaid>().into(), Position::START, u64::MAX / 4).await?;
    let order = order();
    for number in (known as usize..events).step_by(APPEND) {
        let append = Append::to(StreamId::of("order", &number.to_string())?);
        let count = APPEND.min(events - number);
        let append = (0..count).try_fold(append, |append, _| append.event(&order))?;
        store.append(append).await?;
    }
    Ok(())
}

async fn rebuild(db: &Database, store: &Store, events: usize) -> Result<(), BoxError> {
    async fn add(paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
        let row = (paid.event.currency, paid.event.amount_minor);
        tx.run(move |sql| sql.prepare_cached(UPSERT)?.execute(row)).await?;
        Ok(())
    }
    let sales = Projection::new("sales", 1).on::<OrderPaid>(add);
    let progress = sales.progress(db, store);
    let service = Service::new("shop").transport(Memory::new());
    let service = service.projection_with(db, store, sales, |options| options.batch(BATCH));
    let (before, begun) = (resident(), Instant::now());
    let running = service.start().await?;
    let mut memory = Vec::new();
    for tenth in 1..=10 {
        progress.until(Position::new((events * tenth / 10) as u64), LONG).await?;
        memory.push(resident());
    }
    let seconds = begun.elapsed().as_secs_f64();
    running.stop().await?;
    let rate = events as f64 / seconds;
    println!(
        "{}",
        json!({"events": events, "seconds": seconds, "rate": rate, "before": before, "resident": memory, "peak": told("VmHWM:")})
    );
    Ok(())
}

/// The same reads and statements in the same commits, by hand.
async fn bare(path: &PathBuf, store: &Store, events: usize) -> Result<(), BoxError> {
    let writer = Connection::open(path)?;
    writer.execute_batch("PRAGMA synchronous = NORMAL")?;
    let (begun, mut after) = (Instant::now(), Position::START);
    loop {
        let found = store.find::<OrderPaid>(Criterion::of::<OrderPaid>(), after, BATCH).await?;
        if found.events.is_empty() {
            break;
        }
        writer.execute_batch("BEGIN IMMEDIATE")?;
        for paid in found.events {
            writer.prepare_cached(UPSERT)?.execute((paid.event.currency, paid.event.amount_minor))?;
        }
        writer.execute_batch("COMMIT")?;
        after = found.next;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{}", json!({"events": events, "seconds": seconds, "rate": events as f64 / seconds}));
    Ok(())
}

/// The process's memory, in KiB.
fn resident() -> u64 {
    told("VmRSS:")
}

/// What Linux tells of the process's memory, in KiB.
fn told(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with(what)).expect("it is told");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}
