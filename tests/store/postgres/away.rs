//! A projection whose read state is in PostgreSQL, while PostgreSQL goes away under its handler.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Service,
    error::BoxError,
    postgres::{Database, Tx},
    projection::{Handler, Projection},
    store::{Store, Stored},
    transport::Memory,
};
use tegami_test_servers::Postgres as Server;

use super::{beside, execute};
use crate::{contracts::shop::orders::v1::OrderPaid, payments::payments, projection::LONG};

/// Has its connection ended the first times, and says so as the client of PostgreSQL does, or in its own words.
#[derive(Clone)]
struct Killed {
    left: Arc<AtomicUsize>,
    wrapped: bool,
}

/// An error with a cause, as applications make them.
#[derive(Debug)]
struct NotWritten(sqlx::Error);

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sale was not written")
    }
}

impl Error for NotWritten {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Handler<OrderPaid, Tx> for Killed {
    async fn call(&self, paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
        let kills = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        let sql =
            if kills { "SELECT pg_terminate_backend(pg_backend_pid()), $1" } else { "INSERT INTO sales VALUES ($1)" };
        let written = sqlx::query(sql).bind(paid.event.amount_minor).execute(&mut **tx).await;
        match written {
            Err(error) if self.wrapped => Err(NotWritten(error).into()),
            written => Ok(written.map(drop)?),
        }
    }
}

/// F47: the event is handled once the database is back, however often it went away, and is not to blame: with no try left,
/// the projection would wait for longer than this test does.
#[tokio::test]
async fn f47_a_connection_that_ends_under_a_handler_does_not_count_as_a_failure_of_the_event() {
    let server = Server::take().await;
    let db = Database::connect(server.url()).await.expect("it can be reached");
    let store = Store::new(db.store());
    execute(&mut beside(&server).await, "CREATE TABLE sales (amount bigint)").await;
    for wrapped in [false, true] {
        let handler = Killed { left: Arc::new(AtomicUsize::new(3)), wrapped };
        let name = if wrapped { "wrapped" } else { "raw" };
        let sales = Projection::new(name, 1).on::<OrderPaid>(handler.clone());
        let progress = sales.progress(&db, &store);
        let hour = Duration::from_secs(3600);
        let service = Service::new("shop").transport(Memory::new());
        let service = service.projection_with(&db, &store, sales, |options| options.retries(0).again(hour).hold(hour));
        let running = service.start().await.expect("it starts");
        let appended = store.append(payments(name, 2)).await.expect("it is appended");
        progress.until(appended.position, LONG).await.expect("it gets there");
        assert_eq!(handler.left.load(Ordering::SeqCst), 0);
        running.stop().await.expect("it stops");
    }
}
