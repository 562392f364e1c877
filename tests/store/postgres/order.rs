//! Transactions that end in another order than they began.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};
use tegami::{
    store::{Append, Criterion, EventStore, Position, Query, Store},
    time::Wall,
};
use tegami_test_servers::Postgres as Server;
use tokio::time::timeout;

use super::{beside, execute, store_in};
use crate::{
    contracts::shop::orders::v1::OrderPaid,
    payments::{amounts, paid, payments, stream},
};

/// Begins a transaction, and has it be as old as it is now; its number.
pub(super) async fn old_transaction(connection: &mut PgConnection) -> u64 {
    execute(connection, "BEGIN").await;
    let row = sqlx::query("SELECT pg_current_xact_id()::text::bigint").fetch_one(connection).await.expect("it is told");
    row.get::<i64, _>(0).unsigned_abs()
}

/// What an append inside that transaction does: an event like the first one, with its number.
pub(super) async fn append_late(connection: &mut PgConnection, stream: &'static str) {
    let columns = "event, contract_version, time, encoding, payload, head";
    let insert = format!(
        "INSERT INTO tegami.events (epoch, stream, version, id, {columns}) \
         SELECT pg_current_xact_id()::text::bigint, '{stream}', 1, 'late-{stream}', {columns} FROM tegami.events LIMIT 1"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(connection).await.expect("it is written");
}

async fn streams_after(store: &Store, after: Position) -> (Vec<String>, Position) {
    let page = store.inner().read_all(&Query::all(), after, 100).await.expect("it is read");
    (page.events.iter().map(|event| event.stream.to_string()).collect(), page.next)
}

/// E3, F48: what ends later than it began is not passed by.
#[tokio::test]
async fn f48_an_event_that_is_committed_late_is_read_in_its_order_and_by_everyone() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    store.append(payments("first", 1)).await.expect("it is appended");
    let (_, checkpoint) = streams_after(&store, Position::START).await;

    let (mut older, mut oldest) = (beside(&server).await, beside(&server).await);
    old_transaction(&mut oldest).await;
    let epoch = old_transaction(&mut older).await;
    store.append(payments("during", 1)).await.expect("it waits for nobody");
    assert_eq!(amounts(&store, "during").await, [1], "its stream can be read");
    assert_eq!(streams_after(&store, checkpoint).await, (vec![], checkpoint), "others may still come before it");

    append_late(&mut older, "late").await;
    execute(&mut older, "COMMIT").await;
    assert_eq!(streams_after(&store, checkpoint).await, (vec![], checkpoint), "one is still open");
    execute(&mut oldest, "ROLLBACK").await;
    let (streams, next) = streams_after(&store, checkpoint).await;
    assert_eq!(streams, ["late", "during"], "in the order of their transactions");
    assert!(next.epoch() > epoch && checkpoint.epoch() < epoch);
    assert_eq!(streams_after(&store, next).await, (vec![], next));
}

/// Nobody tells of the end of a transaction that recorded nothing.
#[tokio::test]
async fn f48_who_follows_goes_on_when_an_old_transaction_ends() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let mut older = beside(&server).await;
    old_transaction(&mut older).await;
    store.append(payments("o-1", 1)).await.expect("it waits for nobody");
    let mut events = store.follow::<OrderPaid>(Criterion::of::<OrderPaid>(), Position::START);
    timeout(Duration::from_millis(300), events.next()).await.expect_err("it cannot be read yet");
    let (found, ()) = tokio::join!(events.next(), execute(&mut older, "ROLLBACK"));
    assert_eq!(found.expect("it is read").events.len(), 1);
}

/// Another store is what another process is.
#[tokio::test]
async fn e3_who_follows_sees_what_another_process_records() {
    let server = Server::take().await;
    let (here, there) = (store_in(&server).await, store_in(&server).await);
    let mut events = here.follow::<OrderPaid>(Criterion::of::<OrderPaid>(), Position::START);
    let mut seen = Vec::new();
    for round in 0..5 {
        let (found, appended) = tokio::join!(events.next(), there.append(payments(&format!("o-{round}"), 1)));
        appended.expect("it is appended");
        seen.extend(found.expect("it is read").events.into_iter().map(|stored| stored.event.order_id));
    }
    assert_eq!(seen, ["o-0", "o-1", "o-2", "o-3", "o-4"]);
}

/// The connection on which it is told of events is ended while somebody waits, and nobody is told of the next one.
#[tokio::test]
async fn e3_who_follows_needs_nobody_to_tell() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let mut older = beside(&server).await;
    let mut events = store.follow::<OrderPaid>(Criterion::of::<OrderPaid>(), Position::START);
    store.append(payments("o-1", 1)).await.expect("it is appended");
    events.next().await.expect("it is read");
    let silent = async {
        execute(&mut older, "BEGIN").await;
        append_late(&mut older, "untold").await;
        let listeners = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
        // Not in the transaction, which would see the same connections each time.
        let mut killer = beside(&server).await;
        while sqlx::query(listeners).execute(&mut killer).await.expect("it is done").rows_affected() == 0 {}
        execute(&mut older, "COMMIT").await;
    };
    let (found, ()) = tokio::join!(events.next(), silent);
    assert_eq!(found.expect("it is read").events[0].stream.as_str(), "untold");
    older.close().await.expect("it is closed");
}

#[tokio::test]
async fn e3_the_order_is_that_of_the_appends_even_if_the_clock_goes_back() {
    let server = Server::take().await;
    let wall = Wall::system();
    let store = store_in(&server).await.wall(wall.clone());
    for n in 1..=5 {
        store.append(Append::to(stream("o-1")).event(&paid("o-1", n)).expect("valid")).await.expect("appended");
        wall.back(Duration::from_secs(3600));
    }
    let page = store.inner().read_all(&Query::all(), Position::START, 10).await.expect("it is read");
    let times: Vec<_> = page.events.iter().map(|event| event.entry.message.head.time).collect();
    assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "{times:?}");
    assert_eq!(page.events.iter().map(|event| event.version.number()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}
