//! Outbox and inbox in PostgreSQL: every case on a real server, and what can happen to one.

mod copies;
mod crashes;
mod faults;
mod full;
mod leases;
mod order;
mod relay;
#[cfg(feature = "http")]
mod request;
mod rights;
mod transaction;
mod transports;
mod wave;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, postgres::PgPool};
use tegami::{
    Publisher, Service,
    error::BoxError,
    middleware::{Next, from_fn},
    outbox::Parked,
    postgres::{Database, Tx},
    relay::RelayOptions,
    service::Running,
    transport::{Memory, Outgoing, PublishError, PublishErrorKind},
};
use tegami_test_servers::Postgres as Server;

use crate::{
    ReceiptSent, Subject, receipt,
    subject::{Deed, until},
};

crate::suite!(Postgres);

/// A database on a server that nobody else has meanwhile.
pub(crate) struct Postgres {
    db: Database,
    pool: PgPool,
    server: Server,
}

impl Postgres {
    async fn on(server: Server) -> Self {
        let pool = PgPool::connect(&server.url()).await.expect("it can be reached");
        let subject = Self { db: Self::connect(&server.url()).await, pool, server };
        subject.beside("CREATE TABLE receipts (number bigserial PRIMARY KEY, order_id text NOT NULL)").await;
        subject
    }

    async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.pool).await.expect("it is read")
    }

    /// Waits until somebody waits for a lock.
    async fn somebody_waits(&self) {
        until(async || self.count("SELECT count(*) FROM pg_locks WHERE NOT granted").await > 0).await;
    }

    /// Has these statements done, past everything.
    async fn beside(&self, sql: impl Into<String>) {
        sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(&self.pool).await.expect("it is done");
    }
}

/// A service that publishes what is in an outbox, and the keys of what it published.
struct Relay {
    running: Running,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// A relay that looks by itself once an hour only, and whose broker takes everything.
    async fn start(db: &Database) -> Self {
        let hourly = Duration::from_secs(3600);
        Self::answering(db, |options| options.poll(hourly), |_| None).await
    }

    /// One whose broker is of this mood.
    async fn answering(
        db: &Database,
        choose: impl FnOnce(RelayOptions) -> RelayOptions,
        mood: impl Fn(&Outgoing) -> Option<PublishErrorKind> + Send + Sync + 'static,
    ) -> Self {
        let (sent, mood) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(mood));
        let noted = sent.clone();
        let broker = from_fn(move |outgoing: Outgoing, _: Next<Outgoing>| {
            let (noted, mood) = (noted.clone(), mood.clone());
            async move {
                match mood(&outgoing) {
                    Some(kind) => return Err(PublishError::new(kind, "as it is told")),
                    None => noted.lock().expect("nobody panics").push(outgoing.key.unwrap_or_default()),
                }
                Ok(())
            }
        });
        let service = Service::new("orders").transport(Memory::new()).allow_unroutable::<ReceiptSent>();
        let service = service.publish_middleware(broker).outbox_with(db, choose);
        Self { running: service.start().await.expect("it starts"), sent }
    }

    fn publisher(&self) -> &Publisher {
        self.running.publisher()
    }

    /// Puts receipts of these orders into a transaction.
    async fn put(&self, tx: &mut sqlx::Transaction<'_, sqlx::Postgres>, orders: &[&str]) {
        for order in orders {
            self.publisher().in_transaction(tx).publish(&receipt(*order)).await.expect("it is put");
        }
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().expect("nobody panics").clone()
    }

    /// Waits until so many were published.
    async fn sends(&self, many: usize) -> Vec<String> {
        until(async || self.sent().len() >= many).await;
        self.sent()
    }
}

#[async_trait]
impl Subject for Postgres {
    type Db = Database;
    type Tx = Tx;
    type Events = tegami::store::Postgres;

    const NAME: &str = "postgres";

    async fn open() -> Self {
        Self::on(Server::take().await).await
    }

    fn db(&self) -> &Database {
        &self.db
    }

    fn store(db: &Database) -> Self::Events {
        db.store()
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
            Deed::Fill { old } => &format!(
                "INSERT INTO tegami.inbox SELECT 'billing', 'm-' || n, '7', \
                 now() - CASE WHEN n > {old} THEN 0 ELSE 2 END * interval '1 hour' FROM generate_series(1, {old} + 10) n"
            ),
            Deed::EndLeases { of } => {
                &format!("UPDATE tegami.ticks SET held_until = now() WHERE holder = 'process {of}'")
            }
            Deed::EndHolds => "UPDATE tegami.projections SET held_until = now()",
            Deed::HideLeases => "ALTER TABLE tegami.ticks RENAME TO hidden",
            Deed::ShowLeases => "ALTER TABLE tegami.hidden RENAME TO ticks",
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
        let passed = format!("- interval '{seconds} seconds'");
        let rows = format!("UPDATE tegami.outbox SET free_at = free_at {passed}, due = due {passed}");
        self.beside(format!("{rows}; UPDATE tegami.ticks SET held_until = held_until {passed}")).await;
    }

    async fn refusals(&self) -> i64 {
        self.count("SELECT coalesce(sum(refusals), 0)::bigint FROM tegami.outbox").await
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
