//! Where the outbox and the inbox are: in a file, or on a server.

use std::path::Path;

use async_trait::async_trait;
use sqlx::{PgPool, raw_sql};
use tegami::{
    error::BoxError,
    outbox::{Database, Transaction},
    postgres, sqlite,
};
use tegami_test_servers::Postgres as Server;
use tokio::runtime::Runtime;

/// A kind of database with a table of receipts.
#[async_trait]
pub(super) trait Place: Sized + Send + Sync + 'static {
    type Db: Database<Tx = Self::Tx>;
    type Tx: Transaction + 'static;

    fn new() -> Self;

    /// The address of one that has nothing in it.
    fn fresh(&self, folder: &Path) -> String;

    async fn open(address: &str) -> Self::Db;

    async fn write(tx: &mut Self::Tx, order: &str) -> Result<(), BoxError>;

    async fn written(db: &Self::Db) -> Vec<String>;

    async fn close(db: Self::Db);
}

pub(super) struct File;

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
            let mut statement = sql.prepare("SELECT id FROM receipts ORDER BY id")?;
            statement.query_map((), |row| row.get(0))?.collect()
        });
        read.await.expect("it is read")
    }

    async fn close(db: Self::Db) {
        db.close().await;
    }
}

/// A server that nobody else has meanwhile.
pub(super) struct Postgres(Server);

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
        let query = sqlx::query_scalar("SELECT id FROM receipts ORDER BY id");
        query.fetch_all(&mut *tx).await.expect("it is read")
    }

    async fn close(db: Self::Db) {
        db.close().await;
    }
}
