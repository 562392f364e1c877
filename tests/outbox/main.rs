//! Outbox and inbox on SQLite: transactions, what becomes of what was committed, and what of what was not.

mod contracts {
    tegami::include_contracts!();
}
mod crashes;
mod handlers;
mod inbox;
mod kills;
mod relay;
mod rows;
mod transaction;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
use tegami::sqlite::{Database, Tx};

/// A folder that goes with it.
#[derive(Clone)]
struct Folder(Arc<PathBuf>);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("tegami-outbox-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(Arc::new(path))
    }

    fn file(&self) -> PathBuf {
        self.0.join("shop.db")
    }

    /// The file in it, with a table of receipts.
    async fn open(&self) -> Database {
        let db = Database::connect(self.file()).await.expect("the file can be opened");
        let mut tx = db.begin().await.expect("it begins");
        let table = "CREATE TABLE IF NOT EXISTS receipts (number INTEGER PRIMARY KEY, order_id TEXT NOT NULL) STRICT";
        tx.run(|sql| sql.execute_batch(table)).await.expect("a table can be made");
        tx.commit().await.expect("it is committed");
        db
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            let _ = fs::remove_dir_all(&*self.0);
        }
    }
}

fn paid(order: impl Into<String>) -> OrderPaid {
    OrderPaid::builder().order_id(order.into()).currency("EUR").amount_minor(990).build()
}

fn receipt(order: impl Into<String>) -> ReceiptSent {
    ReceiptSent::builder().order_id(order.into()).build()
}

/// The effect of an order: a row.
async fn write(tx: &mut Tx, order: &str) -> Result<(), tegami::outbox::DatabaseError> {
    let order = order.to_owned();
    tx.run(move |sql| sql.execute("INSERT INTO receipts (order_id) VALUES (?1)", [order])).await.map(drop)
}

/// The orders with an effect, in its order.
async fn written(db: &Database) -> Vec<String> {
    let mut tx = db.begin().await.expect("it begins");
    let read = tx.run(|sql| {
        let mut statement = sql.prepare("SELECT order_id FROM receipts ORDER BY number")?;
        statement.query_map((), |row| row.get(0))?.collect()
    });
    read.await.expect("it is read")
}
