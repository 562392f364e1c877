//! Appends in transactions of users that stay open while others record: no reader passes them by.

use sqlx::PgPool;
use tegami::{
    Error,
    store::{Conflict, Criterion, Position, Query, Store, StoreErrorKind},
};
use tegami_test_servers::Postgres as Server;

use super::{beside, store_in};
use crate::{
    contracts::shop::orders::v1::OrderPaid,
    payments::payments,
    projection::{LONG, Shop, sales},
};

pub(super) type Seen = (String, i64);

/// Reads page after page until it has so many events.
pub(super) async fn paged(store: &Store, count: usize) -> Vec<Seen> {
    let (mut seen, mut after) = (Vec::new(), Position::START);
    while seen.len() < count {
        let page = store.inner().read_all(&Query::all(), after, 3).await.expect("it is read");
        seen.extend(page.events.iter().map(|event| (event.stream.to_string(), event.version.number() as i64)));
        after = page.next;
        tokio::task::yield_now().await;
    }
    seen
}

/// Follows until it has so many.
async fn followed(store: &Store, count: usize) -> Vec<Seen> {
    let mut events = store.follow::<OrderPaid>(Criterion::of::<OrderPaid>(), Position::START);
    let mut seen = Vec::new();
    while seen.len() < count {
        let found = events.next().await.expect("it is read").events;
        seen.extend(found.into_iter().map(|stored| (stored.stream.to_string(), stored.version.number() as i64)));
    }
    seen
}

async fn append(store: &Store, stream: &str, count: i64) {
    store.append(payments(stream, count)).await.expect("it waits for nobody");
}

/// Two transactions of the user's, of which the one that began first ends last, and others in between; undone ones too.
async fn record(store: &Store, pool: &PgPool) {
    for round in 0..4 {
        let (mut long, mut other) = (pool.begin().await.expect("begun"), pool.begin().await.expect("begun"));
        let name = |what: &str| format!("{what}-{round}");
        store.in_transaction(&mut long).append(payments(&name("long"), 2)).await.expect("it is appended");
        append(store, &name("first"), 2).await;
        store.in_transaction(&mut other).append(payments(&name("other"), 1)).await.expect("it is appended");
        append(store, &name("second"), 1).await;
        if round == 1 {
            other.rollback().await.expect("it is undone");
        } else {
            other.commit().await.expect("it is committed");
        }
        append(store, &name("third"), 1).await;
        store.in_transaction(&mut long).append(payments(&name("late"), 2)).await.expect("it is appended");
        if round == 2 {
            drop(long);
        } else {
            long.commit().await.expect("it is committed");
        }
        append(store, &name("first"), 1).await;
    }
}

/// In all rounds, in that with its `other` undone, and in that with its `long` undone.
const COUNT: usize = 10 + 9 + 6 + 10;

/// E3, F48.
#[tokio::test]
async fn e3_f48_no_reader_passes_by_what_is_appended_in_a_users_transaction_that_ends_late() -> Result<(), Error> {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let pool = PgPool::connect(&server.url()).await.expect("it can be reached");
    let shop = Shop::of(store.clone()).await;
    let projection = sales();
    let progress = shop.progress(&projection);
    let running = shop.run_with(projection, |options| options.batch(2)).await;
    let reading = async { tokio::join!(paged(&store, COUNT), followed(&store, COUNT), record(&store, &pool)) };
    let (paged, followed, ()) = tokio::time::timeout(LONG, reading).await.expect("all of them are read");
    let expected = self::paged(&store, COUNT).await;
    assert_eq!(paged, expected);
    assert_eq!(followed, expected);
    progress.until_caught_up(LONG).await.expect("it gets there");
    // The amounts of a stream's first append are as its versions.
    let expected = expected.into_iter().map(|(stream, version)| {
        let amount = if stream.starts_with("first") && version == 3 { 1 } else { version };
        (stream, amount)
    });
    assert_eq!(shop.sales().await, expected.collect::<Vec<_>>());
    running.stop().await?;
    Ok(())
}

/// Waits until an append waits for another.
async fn somebody_waits(server: &Server) {
    let mut beside = beside(server).await;
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut beside).await.expect("it is told") == 0 {}
}

/// Nobody sees yet what is recorded there, and who decides over it must know.
#[tokio::test]
async fn e1_a_decision_waits_for_what_is_appended_in_a_users_transaction() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let pool = PgPool::connect(&server.url()).await.expect("it can be reached");
    let of_order = Criterion::of::<OrderPaid>().tagged("order_id", "taken");
    for commits in [false, true] {
        let mut long = pool.begin().await.expect("it begins");
        store.in_transaction(&mut long).append(payments("taken", 1)).await.expect("it is appended");
        let stream = format!("decided-{commits}");
        let mut decided = Box::pin(store.append(payments(&stream, 1).unless(of_order.clone(), Position::START)));
        tokio::select! {
            biased;
            early = &mut decided => panic!("it did not wait: {early:?}"),
            () = somebody_waits(&server) => {}
        }
        if commits {
            long.commit().await.expect("it is committed");
            let refused = decided.await.expect_err("it did not know of that").kind();
            assert!(matches!(refused, StoreErrorKind::Conflict(Conflict::Query { .. })), "{refused:?}");
        } else {
            long.rollback().await.expect("it is undone");
            decided.await.expect("there is nothing in its way");
        }
    }
}
