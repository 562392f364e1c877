//! Conditions and decisions under a newer contract, where events were recorded under the older.

use tegami::{
    outbox::Database as _,
    sqlite::Database,
    store::{Append, Conflict, Criterion, Memory, Position, Query, Store, StoreError, StoreErrorKind, Undecided},
};

use crate::{
    contracts::shop::orders::{v1::OrderPaid, v2},
    payments::{payments, stream},
    sqlite::Folder,
};

/// As many criteria as a query may have, and one more.
const MOST: usize = 32;

fn newer(order: &str) -> v2::OrderPaid {
    v2::OrderPaid {
        order_id: order.to_owned(),
        currency: "EUR".to_owned(),
        amount: "1".to_owned(),
        ..Default::default()
    }
}

fn of_order(order: &str) -> Criterion {
    Criterion::of::<v2::OrderPaid>().tagged("order_id", order)
}

fn of_orders(count: usize) -> Query {
    Query::any_of((1..=count).map(|n| of_order(&format!("o-{n}"))))
}

fn unless(query: impl Into<Query>) -> Append {
    Append::to(stream("till")).event(&newer("o-9")).expect("it is valid").unless(query, Position::START)
}

fn conflict(found: Position) -> StoreErrorKind {
    StoreErrorKind::Conflict(Conflict::Query { found })
}

#[tokio::test]
async fn e1_a_condition_is_compared_with_what_was_recorded_under_an_older_contract() {
    let store = Store::new(Memory::new()).upcast::<OrderPaid, v2::OrderPaid>();
    let before = store.append(payments("o-1", 1)).await.expect("it is appended").position;
    let error = store.append(unless(of_order("o-1"))).await.expect_err("it was paid");
    assert_eq!(error.kind(), conflict(before), "{error}");
    store.append(unless(of_order("o-2"))).await.expect("that one was not");
}

#[tokio::test]
async fn e1_a_condition_in_a_transaction_is_compared_with_it_too() {
    let folder = Folder::new();
    let db = Database::connect(folder.file()).await.expect("the file can be opened");
    let store = Store::new(db.store()).upcast::<OrderPaid, v2::OrderPaid>();
    let before = store.append(payments("o-1", 1)).await.expect("it is appended").position;
    let mut tx = db.begin().await.expect("it begins");
    let error = store.in_transaction(&mut tx).append(unless(of_order("o-1"))).await.expect_err("it was paid");
    assert_eq!(error.kind(), conflict(before), "{error}");
    store.in_transaction(&mut tx).append(unless(of_order("o-2"))).await.expect("that one was not");
    db.commit(tx).await.expect("it is committed");
    db.close().await;
}

/// What upcasts add is nobody's to count.
#[tokio::test]
async fn a_query_may_have_as_many_criteria_however_many_contracts_there_were_before() {
    let store = Store::new(Memory::new()).upcast::<OrderPaid, v2::OrderPaid>();
    let decide = async |count| {
        let decided = store.decide::<v2::OrderPaid, ()>(of_orders(count), |known| {
            assert_eq!(known.events.len(), 1);
            Ok(Some(Append::to(stream("till")).event(&newer("o-1"))?))
        });
        decided.await.map(drop)
    };
    store.append(unless(of_orders(MOST))).await.expect("it is within the limit");
    decide(MOST).await.expect("it is within the limit");
    let is_invalid = |error: StoreError| error.kind() == StoreErrorKind::Invalid && error.to_string().contains("32");
    assert!(store.append(unless(of_orders(MOST + 1))).await.is_err_and(is_invalid));
    let Err(Undecided::Store(error)) = decide(MOST + 1).await else { panic!("it is beyond the limit") };
    assert!(is_invalid(error));
}
