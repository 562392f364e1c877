//! Outbox and inbox in PostgreSQL: every case on a real server, and what can happen to one.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, postgres::PgPool};
use tegami::{
    error::BoxError,
    outbox::Parked,
    postgres::{Database, Tx},
};
use tegami_test_servers::Postgres as Server;

use crate::{Subject, subject::Deed};

crate::suite!(Postgres);

/// A database on a server that nobody else has meanwhile.
pub(crate) struct Postgres {
    db: Database,
    pool: PgPool,
    server: Server,
}

impl Postgres {
    /// Has these statements done, past everything.
    async fn beside(&self, sql: impl Into<String>) {
        sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(&self.pool).await.expect("it is done");
    }
}

#[async_trait]
impl Subject for Postgres {
    type Db = Database;
    type Tx = Tx;

    const NAME: &str = "postgres";

    async fn open() -> Self {
        let server = Server::take().await;
        let pool = PgPool::connect(&server.url()).await.expect("it can be reached");
        let subject = Self { db: Self::connect(&server.url()).await, pool, server };
        subject.beside("CREATE TABLE receipts (number bigserial PRIMARY KEY, order_id text NOT NULL)").await;
        subject
    }

    fn db(&self) -> &Database {
        &self.db
    }

    fn address(&self) -> String {
        self.server.url()
    }

    async fn connect(address: &str) -> Database {
        Database::connect(address).await.expect("it can be reached")
    }

    async fn write(tx: &mut Tx, order: &str) -> Result<(), BoxError> {
        sqlx::query("INSERT INTO receipts (order_id) VALUES ($1)").bind(order).execute(&mut **tx).await?;
        Ok(())
    }

    async fn written(&self) -> Vec<String> {
        let query = sqlx::query_scalar("SELECT order_id FROM receipts ORDER BY number");
        query.fetch_all(&self.pool).await.expect("it is read")
    }

    async fn execute(&self, deed: Deed) {
        let sql = match deed {
            Deed::Damage => "UPDATE tegami.outbox SET head = '{}' WHERE id = 'a.1'",
            Deed::Age => {
                "UPDATE tegami.inbox SET time = time - interval '14 days 1 minute' WHERE substr(id, 3)::int < 30"
            }
            Deed::Fill => {
                "INSERT INTO tegami.inbox SELECT 'billing', 'm-' || n, '7', \
                 now() - CASE WHEN n > 2490 THEN 0 ELSE 2 END * interval '1 hour' FROM generate_series(1, 2500) n"
            }
        };
        self.beside(sql).await;
    }

    async fn marks(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM tegami.inbox");
        count.fetch_one(&self.pool).await.expect("it is read")
    }

    fn now(&self) -> i64 {
        // Nobody asks for it: any will do.
        0
    }

    async fn pass(&self, seconds: i64) {
        self.beside(format!("UPDATE tegami.outbox SET free_at = free_at - interval '{seconds} seconds'")).await;
    }

    async fn parked(&self) -> Vec<Parked> {
        self.db.parked(9).await.expect("it is read")
    }

    async fn send_again(&self, id: &str) -> bool {
        self.db.send_again(id).await.expect("it is written")
    }
}
