//! Decisions beside transactions that are open.

use tegami::store::{Append, Conflict, Criterion, Position, Query, Store, StoreErrorKind, Undecided};
use tegami_test_servers::Postgres as Server;
use tokio::task::JoinSet;

use super::{beside, execute, store_in};
use crate::{
    contracts::shop::orders::v1::OrderPaid,
    payments::{paid, payments, stream},
};

fn of_order(id: &str) -> Criterion {
    Criterion::of::<OrderPaid>().tagged("order_id", id)
}

/// Pays an order until it has been paid so often; how often it was looked at.
async fn pay(store: &Store, id: &str, most: usize) -> Result<usize, Undecided<usize>> {
    let mut looks = 0;
    let decided = store.decide::<OrderPaid, usize>(of_order(id), |known| {
        looks += 1;
        if known.events.len() >= most {
            return Err(Undecided::Refused(known.events.len()));
        }
        Ok(Some(Append::to(stream("till")).event(&paid(id, 1))?))
    });
    decided.await.map(|_| looks)
}

/// While an old transaction is open, nothing newer is read in order; a decision knows of it all the same, and is no
/// conflict with it.
#[tokio::test]
async fn a_decision_knows_what_cannot_be_read_in_order_yet() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let mut older = beside(&server).await;
    execute(&mut older, "BEGIN; SELECT pg_current_xact_id()").await;
    store.append(payments("other", 1)).await.expect("it is appended");
    for before in 0..3 {
        let looks = pay(&store, "o-1", 3).await.expect("it is decided");
        assert_eq!(looks, 1, "with {before} payments that others cannot read yet");
    }
    assert!(matches!(pay(&store, "o-1", 3).await, Err(Undecided::Refused(3))));
    let page = store.inner().read_all(&Query::all(), Position::START, 10).await.expect("it is read");
    assert!(page.events.is_empty(), "the old transaction is still open");
    execute(&mut older, "ROLLBACK").await;
    assert!(matches!(pay(&store, "o-1", 3).await, Err(Undecided::Refused(3))), "the same once they can be read");
}

/// A condition is compared with all that was committed, also with what cannot be read yet.
#[tokio::test]
async fn a_condition_is_compared_with_what_cannot_be_read_in_order_yet() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    let mut older = beside(&server).await;
    execute(&mut older, "BEGIN; SELECT pg_current_xact_id()").await;
    let recorded = store.append(payments("o-1", 1)).await.expect("it is appended");
    let end = store.inner().read_all(&Query::all(), Position::START, 10).await.expect("it is read").next;
    assert!(end < recorded.position);
    for query in [Query::all(), of_order("o-1").into(), Criterion::of::<OrderPaid>().into()] {
        let append = Append::to(stream("till")).event(&paid("o-1", 1)).expect("it is valid").unless(query, end);
        let refused = store.append(append).await.expect_err("it is paid");
        let conflict = Conflict::Query { found: recorded.position };
        assert_eq!(refused.kind(), StoreErrorKind::Conflict(conflict), "{refused}");
    }
}

/// Many decide at once over few orders, by a tag, by a type and over everything: each rule holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_at_once_break_no_rule() {
    let server = Server::take().await;
    let mut deciders = JoinSet::new();
    for n in 0..24 {
        let store = store_in(&server).await;
        deciders.spawn(async move {
            let query = match n % 3 {
                0 => of_order("o-1").into(),
                1 => Criterion::of::<OrderPaid>().into(),
                _ => Query::all(),
            };
            let decided = store.decide::<OrderPaid, ()>(query, |known| {
                if known.events.iter().any(|stored| stored.event.order_id == "o-1") {
                    return Err(Undecided::Refused(()));
                }
                Ok(Some(Append::to(stream(&format!("till/{n}"))).event(&paid("o-1", n))?))
            });
            let decided = decided.await;
            store.inner().close().await;
            match decided {
                Ok(_) => 1,
                Err(Undecided::Refused(())) => 0,
                Err(Undecided::Store(error)) => panic!("a decision was not recorded: {error:?}"),
            }
        });
    }
    assert_eq!(deciders.join_all().await.into_iter().sum::<i32>(), 1, "an order is paid once");
}
