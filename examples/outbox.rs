//! Receipts that are written and told of in one commit: an outbox, an inbox and a crash between, in one file.
//!
//! ```console
//! $ cargo run --example outbox --features sqlite
//! o-1: undone, nothing is written or sent
//! o-1: receipt 1 is written
//! o-1: the customer is told
//! o-2: receipt 2 is written
//! o-2: the customer is told
//! 2 receipts, though order o-1 came three times
//! ```

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
use tegami::{
    Context, HandlerError, Retry, Service,
    error::BoxError,
    sqlite::{Database, Tx},
    transport::Memory,
};

/// The row, that the order was handled, and the event that follows are one commit.
async fn write_receipt(order: OrderPaid, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
    let id = order.order_id.clone();
    let number = tx.run(move |sql| {
        sql.execute("INSERT INTO receipts (order_id) VALUES (?1)", [id])?;
        Ok(sql.last_insert_rowid())
    });
    let (number, id) = (number.await?, &order.order_id);
    ctx.in_transaction(tx).publish(&ReceiptSent::builder().order_id(id).build()).await?;
    if id == "o-1" && ctx.attempt() == 1 {
        println!("{id}: undone, nothing is written or sent");
        return Err(HandlerError::retry("as if it had crashed"));
    }
    println!("{id}: receipt {number} is written");
    Ok(())
}

async fn tell_customer(receipt: ReceiptSent, _: Context) -> Result<(), HandlerError> {
    println!("{}: the customer is told", receipt.order_id);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let path = std::env::temp_dir().join(format!("tegami-receipts-{}.db", std::process::id()));
    let db = Database::connect(&path).await?;
    let mut tx = db.begin().await?;
    tx.run(|sql| sql.execute_batch("CREATE TABLE receipts (number INTEGER PRIMARY KEY, order_id TEXT)")).await?;
    tx.commit().await?;

    let memory = Memory::new();
    let soon = Retry::after([std::time::Duration::from_millis(10)]);
    let service = Service::new("billing").transport(memory.clone()).outbox(&db).on::<ReceiptSent>(tell_customer);
    let service = service.transactional(&db).on_with::<OrderPaid>(write_receipt, |s| s.retry(soon));
    let running = service.start().await?;
    let order = |id: &str| OrderPaid::builder().order_id(id).currency("EUR").amount_minor(990).build();
    // From outside, where there is no handler to begin a transaction.
    let mut tx = db.begin().await?;
    let id = running.publisher().in_transaction(&mut tx).publish(&order("o-1")).await?;
    tx.commit().await?;
    settle(&running, &memory).await?;
    // A copy of the same message, as a broker may deliver it.
    running.publisher().publish_with(&order("o-1"), |options| options.id(id)).await?;
    running.publisher().publish(&order("o-2")).await?;
    settle(&running, &memory).await?;
    running.stop().await?;

    let mut tx = db.begin().await?;
    let receipts: i64 = tx.run(|sql| sql.query_row("SELECT count(*) FROM receipts", (), |row| row.get(0))).await?;
    tx.rollback().await;
    println!("{receipts} receipts, though order o-1 came three times");
    db.close().await;
    std::fs::remove_file(path)?;
    Ok(())
}

/// Waits until nothing is on its way.
async fn settle(running: &tegami::service::Running, memory: &Memory) -> Result<(), BoxError> {
    loop {
        memory.quiet().await;
        if running.unpublished().await? == 0 && memory.is_quiet_where_read() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}
