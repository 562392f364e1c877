//! Projections whose read state and checkpoint are in PostgreSQL.

use std::time::Duration;

use tegami::{
    Error, Service,
    error::BoxError,
    postgres::{Database, Tx},
    projection::{Checkpoints, Claim, Held, Id, LONGEST, Progress, Projection},
    service::Running,
    store::{Position, Store, Stored},
    transport::Memory,
};
use tegami_test_servers::Postgres as Server;

use super::{beside, execute};
use crate::{
    contracts::shop::orders::v1::OrderPaid,
    payments::payments,
    projection::{LONG, all_of},
};

const HOLD: Duration = Duration::from_secs(60);

/// Events and sales in one database.
struct Shop {
    db: Database,
    store: Store,
    server: Server,
}

impl Shop {
    async fn new() -> Self {
        let server = Server::take().await;
        let db = Database::connect(server.url()).await.expect("the database can be reached");
        let table = "CREATE TABLE sales (number bigint GENERATED ALWAYS AS IDENTITY, stream text, amount bigint)";
        execute(&mut beside(&server).await, table).await;
        Self { store: Store::new(db.store()), db, server }
    }

    async fn append(&self, stream: &str, count: i64) -> Position {
        self.store.append(payments(stream, count)).await.expect("it is appended").position
    }

    async fn sales(&self) -> Vec<(String, i64)> {
        let sql = "SELECT stream, amount FROM sales ORDER BY number";
        sqlx::query_as(sql).fetch_all(&mut beside(&self.server).await).await.expect("it is read")
    }

    fn progress(&self) -> Progress {
        sales().progress(&self.db, &self.store)
    }

    /// Runs the projection, on connections of its own, a few events at a time.
    async fn run(&self) -> Running {
        let db = Database::connect(self.server.url()).await.expect("the database can be reached");
        let shop =
            Service::new("shop").transport(Memory::new()).projection_with(&db, &self.store, sales(), |options| {
                options.again(Duration::from_millis(50)).poll(Duration::from_millis(20)).batch(3)
            });
        shop.start().await.expect("it starts")
    }

    async fn held(&self, claim: &Claim) -> Held {
        let mut tx = self.db.begin().await.expect("it begins");
        let held = self.db.hold(&mut tx, claim).await.expect("it is asked");
        self.db.commit(tx).await.expect("it is committed");
        held
    }

    async fn moved(&self, claim: &Claim, from: u64, to: u64) -> bool {
        let mut tx = self.db.begin().await.expect("it begins");
        let moved = self.db.advance(&mut tx, claim, Position::new(from), Position::new(to)).await;
        self.db.commit(tx).await.expect("it is committed");
        moved.expect("it is asked")
    }

    /// Has the clock of the server be so much further, or back, as far as holds know.
    async fn pass(&self, change: &'static str) {
        execute(&mut beside(&self.server).await, change).await;
    }
}

fn id() -> Id {
    Id::new("sales", 1)
}

fn sales() -> Projection<Tx> {
    Projection::new("sales", 1).on::<OrderPaid>(async |paid: Stored<OrderPaid>, tx: &mut Tx| {
        let insert = sqlx::query("INSERT INTO sales (stream, amount) VALUES ($1, $2)");
        insert.bind(paid.stream.to_string()).bind(paid.event.amount_minor).execute(&mut **tx).await?;
        Ok::<_, BoxError>(())
    })
}

/// The server has a clock of its own, so that of the projector does not count.
fn claim(projector: &str) -> Claim {
    Claim::new(id(), projector, HOLD, std::time::SystemTime::UNIX_EPOCH)
}

#[tokio::test]
async fn e4_of_several_one_runs_the_projection_and_the_next_takes_over_at_its_stop() -> Result<(), Error> {
    let shop = Shop::new().await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(shop.run().await);
    }
    let mut expected = Vec::new();
    while let Some(running) = all.pop() {
        let stream = format!("with-{}", all.len() + 1);
        let last = shop.append(&stream, 9).await;
        shop.progress().until(last, LONG).await.expect("one of them runs it");
        expected.extend(all_of(&stream, 9));
        assert_eq!(shop.sales().await, expected);
        running.stop().await?;
    }
    let checkpoint = shop.db.checkpoint(&id()).await.expect("it is read").expect("it was run");
    assert_eq!(checkpoint.projector, None);
    assert_eq!(shop.db.checkpoints().await.expect("they are read").len(), 1);
    Ok(())
}

/// A connection that ends undoes its transaction: effect and checkpoint come again together.
#[tokio::test]
async fn e4_connections_that_are_ended_in_the_middle_lose_no_event_and_double_none() -> Result<(), Error> {
    const EVENTS: i64 = 300;
    let shop = Shop::new().await;
    let last = shop.append("o-1", EVENTS).await;
    let running = shop.run().await;
    for part in 1..=5 {
        while (shop.sales().await.len() as i64) < part * EVENTS / 10 {
            tokio::task::yield_now().await;
        }
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        execute(&mut beside(&shop.server).await, others).await;
    }
    shop.progress().until(last, LONG).await.expect("it goes on");
    assert_eq!(shop.sales().await, all_of("o-1", EVENTS));
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_hold_is_one_projectors_until_it_ends_and_moves_only_from_where_it_is() {
    let shop = Shop::new().await;
    let [a, b] = ["a", "b"].map(claim);
    assert_eq!(shop.held(&a).await, Held::Here(Position::START));
    assert_eq!(shop.held(&b).await, Held::Elsewhere);
    assert!(!shop.moved(&b, 0, 5).await, "it is not b's");
    assert!(shop.moved(&a, 0, 5).await);
    assert!(!shop.moved(&a, 0, 5).await, "it is not there any more");
    shop.pass("UPDATE tegami.projections SET held_until = held_until - interval '61 seconds'").await;
    assert_eq!(shop.held(&b).await, Held::Here(Position::new(5)));
    assert!(!shop.moved(&a, 5, 6).await, "it is not a's any more");
    // A clock that was put back by a year keeps nobody out for a year.
    shop.pass("UPDATE tegami.projections SET held_until = held_until + interval '1 year'").await;
    assert_eq!(shop.held(&a).await, Held::Here(Position::new(5)));
    let checkpoint = shop.db.checkpoint(&id()).await.expect("it is read").expect("it is there");
    let left = checkpoint.held_until.duration_since(tegami::time::Wall::system().now());
    assert!(left.is_ok_and(|left| left <= LONGEST), "{checkpoint:?}");
}

/// Nobody waits for a transaction that may take long.
#[tokio::test]
async fn a_projection_that_somebody_has_in_a_transaction_is_elsewhere_at_once() {
    let shop = Shop::new().await;
    let [a, b] = ["a", "b"].map(claim);
    shop.held(&a).await;
    shop.pass("UPDATE tegami.projections SET held_until = to_timestamp(0)").await;
    let mut open = shop.db.begin().await.expect("it begins");
    assert_eq!(shop.db.hold(&mut open, &a).await.expect("it is asked"), Held::Here(Position::START));
    assert_eq!(shop.held(&b).await, Held::Elsewhere);
    drop(open);
    // The transaction is undone once its connection is back.
    while shop.held(&b).await == Held::Elsewhere {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reset_clears_in_the_transaction_that_sets_the_checkpoint_back() -> Result<(), Error> {
    let shop = Shop::new().await;
    let last = shop.append("o-1", 5).await;
    let running = shop.run().await;
    shop.progress().until(last, LONG).await.expect("it gets there");
    let clear = async |tx: &mut Tx| {
        sqlx::query("DELETE FROM sales").execute(&mut **tx).await?;
        Ok::<_, BoxError>(())
    };
    sales().reset(&shop.db, clear).await.expect("it is set back");
    shop.progress().until(last, LONG).await.expect("it gets there again");
    assert_eq!(shop.sales().await, all_of("o-1", 5), "all of it once");
    running.stop().await?;
    assert!(tegami::projection::remove(&shop.db, &id(), clear).await.expect("it is removed"));
    assert_eq!(shop.db.checkpoint(&id()).await.expect("it is read"), None);
    Ok(())
}
