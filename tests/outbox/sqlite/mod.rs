//! Outbox and inbox in an SQLite file, also under a paused clock.

mod copies;
mod crashes;
mod full;
mod handlers;
mod relay;
mod transaction;
mod transports;

use std::{
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use tegami::{
    error::BoxError,
    outbox::{DatabaseError, Parked},
    sqlite::{Database, Tx},
    store::{Sqlite, sqlite::Durability},
};

use crate::{Folder, Subject, records, subject::Deed};

crate::suite!(File);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d1_a_store_that_was_brought_back_has_its_queue_stand_still_until_it_is_told_where_to_go_on() {
    records::cases::d1_a_store_that_was_brought_back_has_its_queue_stand_still_until_it_is_told_where_to_go_on::<File>(
    )
    .await;
}

/// A file, and the time that claims in it are made at.
pub(crate) struct File {
    db: Database,
    folder: Folder,
    now: AtomicI64,
}

impl Folder {
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

/// The effect of an order: a row.
async fn write(tx: &mut Tx, order: &str) -> Result<(), DatabaseError> {
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

#[async_trait]
impl Subject for File {
    type Db = Database;
    type Tx = Tx;
    type Events = Sqlite;

    const NAME: &str = "sqlite";

    async fn open() -> Self {
        let folder = Folder::new();
        folder.open().await.close().await;
        let db = Self::connect(&folder.file().display().to_string()).await;
        Self { db, folder, now: AtomicI64::new(1_000_000) }
    }

    fn db(&self) -> &Database {
        &self.db
    }

    fn store(db: &Database) -> Sqlite {
        db.store()
    }

    fn address(&self) -> String {
        self.folder.file().display().to_string()
    }

    async fn connect(address: &str) -> Database {
        let store = Sqlite::at(Path::new(address)).durability(Durability::Process).connect().await;
        Database::of(&store.expect("the file can be opened"))
    }

    async fn write(tx: &mut Tx, order: &str) -> Result<(), BoxError> {
        Ok(write(tx, order).await?)
    }

    async fn written(&self) -> Vec<String> {
        written(&self.db).await
    }

    async fn execute(&self, deed: Deed) {
        let sql = match deed {
            Deed::Damage => "UPDATE tegami_outbox SET head = '{}' WHERE id = 'a.1'",
            Deed::Age => {
                "UPDATE tegami_inbox SET time = time - 14 * 86400 - 60 WHERE CAST(substr(id, 3) AS INTEGER) < 30"
            }
            Deed::Fill { old } => &format!(
                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {old} + 10) INSERT INTO tegami_inbox \
                 SELECT 'billing', 'm-' || n, x'07', unixepoch() - iif(n > {old}, 0, 7200) FROM n"
            ),
            Deed::EndLeases { of } => &format!("UPDATE tegami_ticks SET held_until = 0 WHERE holder = 'process {of}'"),
            Deed::EndHolds => "UPDATE tegami_projections SET held_until = 0",
            Deed::HideLeases => "ALTER TABLE tegami_ticks RENAME TO hidden",
            Deed::ShowLeases => "ALTER TABLE hidden RENAME TO tegami_ticks",
        };
        let sql = sql.to_owned();
        let mut tx = self.db.begin().await.expect("it begins");
        tx.run(move |file| file.execute(&sql, ())).await.expect("it is written");
        tx.commit().await.expect("it is committed");
    }

    async fn marks(&self) -> i64 {
        let mut tx = self.db.begin().await.expect("it begins");
        let count = tx.run(|sql| sql.query_row("SELECT count(*) FROM tegami_inbox", (), |row| row.get(0)));
        count.await.expect("it is read")
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    async fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn refusals(&self) -> i64 {
        let mut tx = self.db.begin().await.expect("it begins");
        let sum =
            tx.run(|sql| sql.query_row("SELECT total(refusals) FROM tegami_outbox", (), |row| row.get::<_, f64>(0)));
        sum.await.expect("it is read") as i64
    }

    async fn parked(&self) -> Vec<Parked> {
        self.db.parked(9).await.expect("it is read")
    }

    async fn send_again(&self, id: &str) -> bool {
        self.db.send_again(id).await.expect("it is written")
    }

    async fn forget_schedule(db: &Database, schedule: &str) -> bool {
        db.forget_schedule(schedule).await.expect("it is written")
    }
}
