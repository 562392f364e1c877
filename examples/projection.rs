//! A table that is made of stored events: kept up to date, read after a write, and built anew beside the old one.
//!
//! ```console
//! $ cargo run --example projection --features sqlite
//! o-1 is paid: EUR 990
//! o-2 is paid: EUR 1500
//! o-3 is paid: EUR 1500, SEK 4000
//! version 2 is at position 0, 3 events behind
//! version 2 has caught up: EUR 2 orders, SEK 1 order
//! version 1 is removed
//! ```

mod contracts {
    tegami::include_contracts!();
}
use std::time::Duration;

use contracts::shop::orders::v1::OrderPaid;
use tegami::{
    Service,
    error::BoxError,
    projection::{self, Id, Progress, Projection},
    service::Running,
    sqlite::{Database, Tx},
    store::{Append, Store, Stored, StreamId},
    transport::Memory,
};

/// How long something may take.
const LONG: Duration = Duration::from_secs(30);

/// What is sold in each currency: the row and that the event was handled are one commit.
async fn add_amount(paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
    let sql = "INSERT INTO amounts VALUES (?1, ?2) ON CONFLICT DO UPDATE SET amount = amount + ?2";
    let row = (paid.event.currency, paid.event.amount_minor);
    tx.run(move |file| file.execute(sql, row)).await?;
    Ok(())
}

/// The same, later: how many orders.
async fn add_order(paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
    let sql = "INSERT INTO orders VALUES (?1, 1) ON CONFLICT DO UPDATE SET orders = orders + 1";
    tx.run(move |file| file.execute(sql, [paid.event.currency])).await?;
    Ok(())
}

async fn run(db: &Database, store: &Store, projection: Projection<Tx>) -> Result<Running, tegami::Error> {
    Service::new("shop").transport(Memory::new()).projection(db, store, projection).start().await
}

async fn pay(store: &Store, progress: &Progress, (id, currency, amount): (&str, &str, i64)) -> Result<(), BoxError> {
    let paid = OrderPaid::builder().order_id(id).currency(currency).amount_minor(amount).build();
    let appended = store.append(Append::to(StreamId::of("order", id)?).event(&paid)?).await?;
    Ok(progress.until(appended.position, LONG).await?)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let path = std::env::temp_dir().join(format!("tegami-sales-{}.db", std::process::id()));
    let db = Database::connect(&path).await?;
    let mut tx = db.begin().await?;
    let tables = "CREATE TABLE amounts (currency TEXT PRIMARY KEY, amount INTEGER);
                  CREATE TABLE orders (currency TEXT PRIMARY KEY, orders INTEGER);";
    tx.run(|sql| sql.execute_batch(tables)).await?;
    tx.commit().await?;
    let store = Store::new(db.store()).service("shop");

    let first = Projection::new("sales", 1).on::<OrderPaid>(add_amount);
    let progress = first.progress(&db, &store);
    let running = run(&db, &store, first).await?;
    for order in [("o-1", "EUR", 990), ("o-2", "EUR", 510), ("o-3", "SEK", 4000)] {
        pay(&store, &progress, order).await?;
        let amounts = read(&db, "SELECT currency || ' ' || amount FROM amounts ORDER BY currency").await?;
        println!("{} is paid: {amounts}", order.0);
    }

    let second = Projection::new("sales", 2).on::<OrderPaid>(add_order);
    let progress = second.progress(&db, &store);
    let (position, lag) = (progress.position().await?, progress.lag().await?);
    println!("version 2 is at position {position}, {} events behind", lag.events);
    let beside = run(&db, &store, second).await?;
    progress.until_caught_up(LONG).await?;
    let orders =
        "SELECT currency || ' ' || orders || iif(orders = 1, ' order', ' orders') FROM orders ORDER BY currency";
    println!("version 2 has caught up: {}", read(&db, orders).await?);

    running.stop().await?;
    projection::remove(&db, &Id::new("sales", 1), async |tx: &mut Tx| {
        tx.run(|sql| sql.execute_batch("DROP TABLE amounts")).await?;
        Ok(())
    })
    .await?;
    println!("version 1 is removed");
    beside.stop().await?;
    db.close().await;
    std::fs::remove_file(path)?;
    Ok(())
}

async fn read(db: &Database, sql: &'static str) -> Result<String, BoxError> {
    let mut tx = db.begin().await?;
    let rows: Vec<String> = tx.run(move |file| file.prepare(sql)?.query_map((), |row| row.get(0))?.collect()).await?;
    tx.rollback().await;
    Ok(rows.join(", "))
}
