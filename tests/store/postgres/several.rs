//! Appends of one transaction to several streams, of which some are ahead of it: they are read as they were appended.

use sqlx::{PgPool, Postgres, Transaction, postgres::PgPoolOptions};
use tegami::store::{Position, Query, Store};
use tegami_test_servers::Postgres as Server;
use tokio::task::JoinSet;

use super::{long::paged, store_in};
use crate::payments::payments;

/// Transactions at once, and how many each has.
const WRITERS: usize = 6;
const ROUNDS: usize = 12;
/// Of so many transactions, one is undone.
const UNDONE: usize = 4;

/// A transaction that is as old as it is now.
async fn begun(pool: &PgPool) -> Transaction<'static, Postgres> {
    let mut transaction = pool.begin().await.expect("it begins");
    sqlx::query("SELECT pg_current_xact_id()").execute(&mut *transaction).await.expect("it has a number now");
    transaction
}

async fn append(store: &Store, transaction: &mut Transaction<'static, Postgres>, stream: &str) -> Position {
    let appended = store.in_transaction(transaction).append(payments(stream, 1)).await;
    appended.expect("it is appended").position
}

async fn execute(transaction: &mut Transaction<'static, Postgres>, statement: &'static str) {
    sqlx::query(statement).execute(&mut **transaction).await.expect("it is done");
}

async fn streams(store: &Store) -> Vec<String> {
    let page = store.inner().read_all(&Query::all(), Position::START, 100).await.expect("it is read");
    page.events.iter().map(|event| event.stream.to_string()).collect()
}

/// E3: the stream that is ahead has its events where it is, and what comes after them in other streams is behind them.
#[tokio::test]
async fn e3_what_one_transaction_appends_to_several_streams_is_read_as_it_was_appended() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let pool = PgPool::connect(&server.url()).await.expect("it can be reached");
    let mut older = begun(&pool).await;
    store.append(payments("ahead", 1)).await.expect("it waits for nobody");
    let appended = ["early", "ahead", "new", "ahead", "other", "new"];
    let mut positions = Vec::new();
    for stream in appended {
        positions.push(append(&store, &mut older, stream).await);
    }
    assert!(positions.is_sorted(), "{positions:?}");
    older.commit().await.expect("it is committed");
    // What was appended before the first of a stream that is ahead is where the transaction is.
    assert_eq!(streams(&store).await, ["early", "ahead", "ahead", "new", "ahead", "other", "new"]);
}

/// E3: what a savepoint has undone is not gone by, and neither is what an earlier transaction of the session wrote.
#[tokio::test]
async fn e3_what_is_undone_with_a_savepoint_moves_nothing_behind_it() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    // One connection, and so one session.
    let pool = PgPoolOptions::new().max_connections(1).connect(&server.url()).await.expect("it can be reached");
    for round in 0..2 {
        let [near, far, new, last] = ["near", "far", "new", "last"].map(|name| format!("{name}-{round}"));
        let mut older = begun(&pool).await;
        store.append(payments(&near, 1)).await.expect("it waits for nobody");
        store.append(payments(&far, 1)).await.expect("it waits for nobody");
        execute(&mut older, "SAVEPOINT first").await;
        let undone = append(&store, &mut older, &far).await;
        execute(&mut older, "ROLLBACK TO first").await;
        let own = append(&store, &mut older, &new).await;
        assert!(own < undone, "nothing of it is written before: {own} {undone}");
        let second = append(&store, &mut older, &near).await;
        execute(&mut older, "SAVEPOINT second").await;
        append(&store, &mut older, &far).await;
        execute(&mut older, "ROLLBACK TO second").await;
        let third = append(&store, &mut older, &new).await;
        assert!(second < third && third.epoch() == second.epoch(), "{second} {third}");
        execute(&mut older, "SAVEPOINT third").await;
        let far_on = append(&store, &mut older, &far).await;
        execute(&mut older, "RELEASE third").await;
        let end = append(&store, &mut older, &last).await;
        assert!(third < far_on && far_on < end, "{third} {far_on} {end}");
        older.commit().await.expect("it is committed");
        let read = streams(&store).await;
        let expected = [&new, &near, &near, &new, &far, &far, &last];
        assert_eq!(read[round * expected.len()..], expected.map(String::clone));
    }
}

/// What one of a crowd does: in each transaction it appends to a stream of all, which is ahead of it as others were faster,
/// then to one of its own, twice. The positions of those that were committed.
async fn write(store: Store, pool: PgPool, writer: usize) -> Vec<Vec<Position>> {
    let mut committed = Vec::new();
    for round in 0..ROUNDS {
        let mut transaction = begun(&pool).await;
        let (shared, own) = (format!("shared-{}", round % 2), format!("own-{writer}"));
        let mut positions = vec![append(&store, &mut transaction, &shared).await];
        positions.push(append(&store, &mut transaction, &own).await);
        execute(&mut transaction, "SAVEPOINT here").await;
        append(&store, &mut transaction, &format!("undone-{writer}")).await;
        execute(&mut transaction, "ROLLBACK TO here").await;
        positions.push(append(&store, &mut transaction, &own).await);
        if round % UNDONE == writer % UNDONE {
            transaction.rollback().await.expect("it is undone");
        } else {
            transaction.commit().await.expect("it is committed");
            committed.push(positions);
        }
    }
    committed
}

/// E3, F48.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e3_f48_of_many_at_once_nothing_is_passed_by_and_each_is_read_as_it_was_appended() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let pool = PgPool::connect(&server.url()).await.expect("it can be reached");
    let mut crowd = JoinSet::new();
    for writer in 0..WRITERS {
        crowd.spawn(write(store.clone(), pool.clone(), writer));
    }
    let count = WRITERS * (ROUNDS - ROUNDS / UNDONE) * 3;
    let (seen, committed) = tokio::join!(paged(&store, count), crowd.join_all());
    assert_eq!(seen, paged(&store, count).await, "while they wrote, nothing came before what was read");
    let page = store.inner().read_all(&Query::all(), Position::START, 2 * count).await.expect("it is read");
    let read: Vec<Position> = page.events.iter().map(|event| event.position).collect();
    let committed: Vec<Vec<Position>> = committed.into_iter().flatten().collect();
    for positions in &committed {
        assert!(positions.is_sorted(), "one transaction: {positions:?}");
    }
    let mut committed: Vec<Position> = committed.into_iter().flatten().collect();
    committed.sort();
    assert_eq!(read, committed);
}
