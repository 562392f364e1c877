//! Where the outbox and the inbox are: in a file, or on a server.

use std::path::Path;

use async_trait::async_trait;
use sqlx::{PgPool, raw_sql};
use tegami::{
    error::BoxError,
    outbox::{Database, Transaction},
    postgres, sqlite,
    store::Store,
};
use tegami_test_servers::Postgres as Server;
use tokio::runtime::Runtime;

/// A kind of database with a table of receipts.
#[async_trait]
pub(crate) trait Place: Sized + Send + Sync + 'static {
    type Db: Database<Tx = Self::Tx>;
    type Tx: Transaction + 'static;

    fn new() -> Self;

    /// The address of one that has nothing in it.
    fn fresh(&self, folder: &Path) -> String;

    async fn open(address: &str) -> Self::Db;

    async fn write(tx: &mut Self::Tx, order: &str) -> Result<(), BoxError>;

    async fn written(db: &Self::Db) -> Vec<String>;

    /// Has all leases on ticks and projections end, as if their time had passed.
    async fn end_leases(address: &str);

    /// The events in it.
    fn store(db: &Self::Db) -> Store;

    async fn close(db: Self::Db);
}

pub(crate) struct File;

#[async_trait]
impl Place for File {
    type Db = sqlite::Database;
    type Tx = sqlite::Tx;

    fn new() -> Self {
        Self
    }

    fn fresh(&self, folder: &Path) -> String {
        folder.join("shop.db").display().to_string()
    }

    async fn open(address: &str) -> Self::Db {
        let db = sqlite::Database::connect(address).await.expect("the file can be opened");
        let mut tx = db.begin().await.expect("it begins");
        tx.run(|sql| sql.execute_batch("CREATE TABLE IF NOT EXISTS receipts (id TEXT)")).await.expect("it is made");
        tx.commit().await.expect("it is committed");
        db
    }

    async fn write(tx: &mut Self::Tx, order: &str) -> Result<(), BoxError> {
        let order = order.to_owned();
        tx.run(move |sql| sql.execute("INSERT INTO receipts VALUES (?1)", [order])).await?;
        Ok(())
    }

    async fn written(db: &Self::Db) -> Vec<String> {
        let mut tx = db.begin().await.expect("it begins");
        let read = tx.run(|sql| {
            let mut statement = sql.prepare("SELECT id FROM receipts ORDER BY rowid")?;
            statement.query_map((), |row| row.get(0))?.collect()
        });
        read.await.expect("it is read")
    }

    async fn end_leases(address: &str) {
        let db = Self::open(address).await;
        let mut tx = db.begin().await.expect("it begins");
        let end = "UPDATE tegami_ticks SET held_until = 0; UPDATE tegami_projections SET held_until = 0";
        tx.run(|sql| sql.execute_batch(end)).await.expect("it is done");
        tx.commit().await.expect("it is committed");
        Self::close(db).await;
    }

    fn store(db: &Self::Db) -> Store {
        Store::new(db.store())
    }

    async fn close(db: Self::Db) {
        db.close().await;
    }
}

/// A server that nobody else has meanwhile.
pub(crate) struct Postgres(Server);

impl Postgres {
    async fn pool(address: &str) -> PgPool {
        PgPool::connect(address).await.expect("it can be reached")
    }
}

#[async_trait]
impl Place for Postgres {
    type Db = postgres::Database;
    type Tx = postgres::Tx;

    fn new() -> Self {
        Self(Runtime::new().expect("a runtime").block_on(Server::take()))
    }

    fn fresh(&self, _: &Path) -> String {
        Runtime::new().expect("a runtime").block_on(async {
            let pool = Self::pool(&self.0.url()).await;
            let empty = "DROP SCHEMA IF EXISTS tegami CASCADE; DROP TABLE IF EXISTS receipts; \
                         CREATE TABLE receipts (number bigserial, id text)";
            raw_sql(empty).execute(&pool).await.expect("it is done");
            pool.close().await;
        });
        self.0.url()
    }

    async fn open(address: &str) -> Self::Db {
        postgres::Database::connect(address).await.expect("it can be reached")
    }

    async fn write(tx: &mut Self::Tx, order: &str) -> Result<(), BoxError> {
        sqlx::query("INSERT INTO receipts (id) VALUES ($1)").bind(order).execute(&mut **tx).await?;
        Ok(())
    }

    async fn written(db: &Self::Db) -> Vec<String> {
        let mut tx = db.begin().await.expect("it begins");
        let query = sqlx::query_scalar("SELECT id FROM receipts ORDER BY number");
        query.fetch_all(&mut *tx).await.expect("it is read")
    }

    async fn end_leases(address: &str) {
        let pool = Self::pool(address).await;
        let end = "UPDATE tegami.ticks SET held_until = now(); UPDATE tegami.projections SET held_until = now()";
        raw_sql(end).execute(&pool).await.expect("it is done");
        pool.close().await;
    }

    fn store(db: &Self::Db) -> Store {
        Store::new(db.store())
    }

    async fn close(db: Self::Db) {
        db.close().await;
    }
}
