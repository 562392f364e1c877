//! Transactions that end in another order than they began, and relays that take at once.

use std::time::{Duration, SystemTime};

use tegami::{
    outbox::{Claim, Fate, Outbox},
    postgres::Database,
};

use super::{Postgres, Relay};
use crate::Subject;

fn claim(relay: &str) -> Claim {
    Claim::new(relay, 9, Duration::from_secs(30), SystemTime::UNIX_EPOCH)
}

/// Takes rows and settles them as sent; their keys and numbers.
async fn pass_on(db: &Database) -> Vec<(String, u64)> {
    let taken = db.take(&claim("one")).await.expect("it can be asked");
    let fates: Vec<_> = taken.iter().map(|claimed| (claimed.number, Fate::Sent)).collect();
    db.settle(&claim("one"), &fates).await.expect("it is noted");
    taken.into_iter().map(|claimed| (claimed.row.outgoing.key.unwrap_or_default(), claimed.number)).collect()
}

/// A service that only publishes into outboxes.
async fn orders(all: &Postgres) -> Relay {
    let elsewhere = tegami::store::Postgres::on(all.pool.clone()).schema("elsewhere").connect().await;
    Relay::start(&Database::of(&elsewhere.expect("it can be opened"))).await
}

/// F48: numbers are drawn before commits, which come in the other order.
#[tokio::test]
async fn t3_f48_what_is_committed_late_with_an_early_number_is_not_passed_by() {
    let all = Postgres::open().await;
    let orders = orders(&all).await;
    let mut open = Vec::new();
    for key in ["first", "second", "third"] {
        let mut tx = all.pool.begin().await.expect("it begins");
        orders.put(&mut tx, &[key]).await;
        open.push(tx);
    }
    let mut passed = Vec::new();
    while let Some(tx) = open.pop() {
        tx.commit().await.expect("it is committed");
        passed.append(&mut pass_on(&all.db).await);
    }
    let keys: Vec<_> = passed.iter().map(|(key, _)| &**key).collect();
    assert_eq!(keys, ["third", "second", "first"]);
    assert!(passed.is_sorted_by(|one, next| one.1 > next.1), "their numbers went down: {passed:?}");
}

/// F48: one transaction has put a key and is held; another one that puts it draws no number until the first has ended, and
/// others wait for nobody.
#[tokio::test]
async fn t3_f48_a_key_waits_for_the_transaction_that_put_it_first() {
    let all = Postgres::open().await;
    let orders = orders(&all).await;
    for ends in ["commit", "rollback"] {
        let mut first = all.pool.begin().await.expect("it begins");
        orders.put(&mut first, &["a"]).await;
        let mut second = all.db.begin().await.expect("it begins");
        let mut putting = Box::pin(orders.put(&mut second, &["a"]));
        tokio::select! {
            biased;
            () = &mut putting => panic!("it did not wait for the first"),
            () = all.somebody_waits() => {}
        }
        let mut other = all.db.begin().await.expect("it begins");
        orders.put(&mut other, &["b"]).await;
        all.db.commit(other).await.expect("it is committed");
        assert_eq!(pass_on(&all.db).await.len(), 1, "another key waits for nobody");
        match ends {
            "commit" => first.commit().await.expect("it is committed"),
            _ => first.rollback().await.expect("it is undone"),
        }
        putting.await;
        all.db.commit(second).await.expect("it is committed");
        let passed = pass_on(&all.db).await;
        assert_eq!(passed.len(), if ends == "commit" { 2 } else { 1 });
        assert!(passed.is_sorted_by_key(|(_, number)| *number));
    }
}

/// The first of two relays has chosen its rows and cannot write that yet: the second does not choose meanwhile.
#[tokio::test]
async fn t3_of_two_relays_that_take_at_once_one_waits_for_the_other() {
    let all = Postgres::open().await;
    let orders = orders(&all).await;
    let mut tx = all.pool.begin().await.expect("it begins");
    orders.put(&mut tx, &["a", "a", "b"]).await;
    tx.commit().await.expect("it is committed");
    let mut lock = all.pool.begin().await.expect("it begins");
    sqlx::query("SELECT FROM tegami.outbox FOR UPDATE").execute(&mut *lock).await.expect("they are locked");
    let (one, other) = (all.db.clone(), Postgres::connect(&all.address()).await);
    let first = tokio::spawn(async move { one.take(&claim("one")).await });
    all.somebody_waits().await;
    let second = tokio::spawn(async move { other.take(&claim("two")).await });
    super::until(async || all.count("SELECT count(*) FROM pg_locks WHERE NOT granted").await >= 2).await;
    lock.rollback().await.expect("it is undone");
    let [first, second] = [first, second].map(|task| async { task.await.expect("it ends").expect("it can be asked") });
    let (first, second) = (first.await, second.await);
    assert_eq!((first.len(), second.len()), (3, 0), "both have them");
}
