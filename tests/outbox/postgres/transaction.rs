//! Transactions of sqlx with messages in them: whose they are, where the messages go, and how they end.

use std::{error::Error, time::Duration};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tegami::{
    outbox::{Database as _, DatabaseError, DatabaseErrorKind as Kind, Mark, Marked, Outbox},
    postgres::{Database, Isolation},
    store,
    transport::{PublishError, PublishErrorKind},
};

use super::{Postgres, Relay, until};
use crate::{Subject, receipt};

/// What the database said.
fn cause(refused: &PublishError) -> (Kind, String) {
    assert_eq!(refused.kind(), PublishErrorKind::Refused);
    let cause = refused.source().and_then(|source| source.downcast_ref::<DatabaseError>()).expect("it has refused it");
    (cause.kind(), cause.to_string())
}

/// T1, T2: the transaction is the user's, from begin to commit; the relay learns of it in another process.
#[tokio::test]
async fn t1_t2_a_transaction_of_the_users_own_pool_takes_messages_and_wakes_the_relay() {
    let all = Postgres::open().await;
    let relay = Relay::start(&Postgres::connect(&all.address()).await).await;
    for (order, commits) in [("undone", false), ("o-1", true), ("o-2", true)] {
        let mut tx = all.pool.begin().await.expect("it begins");
        Postgres::write(&mut tx, order).await.expect("it is written");
        relay.put(&mut tx, &[order]).await;
        match commits {
            true => tx.commit().await.expect("it is committed"),
            false => tx.rollback().await.expect("it is undone"),
        }
    }
    assert_eq!(relay.sends(2).await, ["o-1", "o-2"]);
    until(async || all.db.waiting().await.expect("it is read") == 0).await;
    assert_eq!((all.written().await, relay.sent().len()), (relay.sent(), 2));
}

/// PostgreSQL calls it a success to commit what a failed statement has undone.
#[tokio::test]
async fn t1_a_commit_of_what_is_undone_already_is_an_error() {
    let all = Postgres::open().await;
    let relay = Relay::start(&all.db).await;
    for (ending, why) in
        [("SELECT 1 / 0", "a statement in it has failed"), ("ROLLBACK", "has ended it"), ("COMMIT", "has ended it")]
    {
        let mut tx = all.db.begin().await.expect("it begins");
        if ending != "COMMIT" {
            relay.put(&mut tx, &[ending]).await;
        }
        // Somebody does not look at the answer.
        let _ = sqlx::raw_sql(ending).execute(&mut *tx).await;
        let error = all.db.commit(tx).await.expect_err("nothing is there to be committed");
        assert_eq!(error.kind(), Kind::Over, "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(all.count("SELECT count(*) FROM tegami.outbox").await, 0);
    let mut tx = all.db.begin().await.expect("it begins");
    let _ = sqlx::raw_sql("SELECT 1 / 0").execute(&mut *tx).await;
    let refused = relay.publisher().in_transaction(&mut tx).publish(&receipt("late")).await.expect_err("it is undone");
    let (kind, text) = cause(&refused);
    assert!(kind == Kind::Over && text.contains("a statement in it has failed before"), "{text}");
}

/// Services that share a database and no outbox.
#[tokio::test]
async fn messages_go_into_the_outbox_of_the_schema_that_the_transaction_or_its_connection_names() {
    let all = Postgres::open().await;
    let relay = Relay::start(&all.db).await;
    let options: PgConnectOptions = all.address().parse().expect("a good URL");
    let of_billing = PgPoolOptions::new().connect_lazy_with(options.clone().options([("tegami.schema", "billing")]));
    let store = store::Postgres::on(all.pool.clone()).schema("billing").connect().await.expect("it can be opened");
    let billing = Database::of(&store);
    let mut tx = billing.begin().await.expect("it begins");
    relay.put(&mut tx, &["o-1"]).await;
    billing.commit(tx).await.expect("it is committed");
    let mut tx = of_billing.begin().await.expect("it begins");
    relay.put(&mut tx, &["o-2"]).await;
    tx.commit().await.expect("it is committed");
    let mut tx = all.pool.begin().await.expect("it begins");
    relay.put(&mut tx, &["o-3"]).await;
    tx.commit().await.expect("it is committed");
    assert_eq!((relay.sends(1).await, billing.waiting().await.expect("it is read")), (vec!["o-3".to_owned()], 2));
    assert!(all.db.name().ends_with("/test/tegami") && billing.name().ends_with("/test/billing"));
    for (schema, kind) in [("nowhere", Kind::Mismatch), ("x\".y; --", Kind::Invalid)] {
        let lost = PgPoolOptions::new().connect_lazy_with(options.clone());
        let mut tx = lost.begin().await.expect("it begins");
        let set = sqlx::query("SELECT set_config('tegami.schema', $1, true)").bind(schema);
        set.execute(&mut *tx).await.expect("it is set");
        let error = relay.publisher().in_transaction(&mut tx).publish(&receipt("o-4")).await.expect_err("no outbox");
        let (found, text) = cause(&error);
        assert!(found == kind && text.contains(&format!("outbox in schema `{schema}`")), "{text}");
    }
}

/// Two transactions put the same keys in different orders: one is told to try again, and the other goes on.
#[tokio::test]
async fn t3_of_two_transactions_that_wait_for_each_others_keys_one_is_told_to_try_again() {
    let all = Postgres::open().await;
    let relay = Relay::start(&all.db).await;
    let (mut one, mut other) = (all.db.begin().await.expect("it begins"), all.db.begin().await.expect("it begins"));
    relay.put(&mut one, &["a"]).await;
    relay.put(&mut other, &["b"]).await;
    let (a, b) = (receipt("a"), receipt("b"));
    let (mut publisher, mut again) =
        (relay.publisher().in_transaction(&mut one), relay.publisher().in_transaction(&mut other));
    let answers = tokio::join!(publisher.publish(&b), again.publish(&a));
    let refused = match answers {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
        both => panic!("{both:?}"),
    };
    let (kind, text) = cause(&refused);
    assert!(kind == Kind::Busy && text.contains("the same keys in another order"), "{text}");
    let mut committed = 0;
    for tx in [one, other] {
        committed += usize::from(all.db.commit(tx).await.is_ok());
    }
    assert_eq!((committed, relay.sends(2).await.len()), (1, 2));
}

/// What hangs keeps nobody waiting for ever.
#[tokio::test]
async fn a_transaction_with_nothing_asked_in_it_is_undone_and_says_so() {
    let all = Postgres::open().await;
    let relay = Relay::start(&all.db).await;
    let short = all.db.clone().idle_limit(Duration::from_millis(50));
    let mut idle = short.begin().await.expect("it begins");
    relay.put(&mut idle, &["a"]).await;
    let mut next = all.db.begin().await.expect("it begins");
    // It waits for the key until the idle one is undone.
    relay.put(&mut next, &["a"]).await;
    all.db.commit(next).await.expect("it is committed");
    let error = short.commit(idle).await.expect_err("it is undone");
    assert_eq!(error.kind(), Kind::TooLong, "{error:?}");
    assert_eq!(relay.sends(1).await, ["a"]);
}

/// What a stricter isolation refuses is told as what helps to be tried again, also where another process was faster with
/// the same message.
#[tokio::test]
async fn i3_what_an_isolation_refuses_is_worth_another_try() {
    let all = Postgres::open().await;
    let strict = all.db.clone().isolation(Isolation::Serializable);
    let mark = Mark::new("billing", tegami::envelope::MessageId::parse("m-1").expect("a good id"), [7; 32]);
    let mut late = strict.begin().await.expect("it begins");
    // Only now does it know what it sees.
    sqlx::query("SELECT count(*) FROM receipts").execute(&mut *late).await.expect("it is read");
    let mut first = all.db.begin().await.expect("it begins");
    assert_eq!(all.db.mark(&mut first, &mark).await.expect("it is marked"), Marked::New);
    all.db.commit(first).await.expect("it is committed");
    let error = strict.mark(&mut late, &mark).await.expect_err("it cannot see that mark");
    assert!(error.kind() == Kind::Busy && error.is_transient(), "{error:?}");
    drop(late);
    // Each counts the receipts that the other writes.
    let mut pair = Vec::new();
    for order in ["one", "other"] {
        let mut tx = strict.begin().await.expect("it begins");
        sqlx::query("SELECT count(*) FROM receipts").execute(&mut *tx).await.expect("it is read");
        pair.push((tx, order));
    }
    let mut ends = Vec::new();
    for (mut tx, order) in pair {
        let written = Postgres::write(&mut tx, order).await;
        ends.push(match written {
            Ok(()) => strict.commit(tx).await.map_err(|error| error.kind()),
            Err(_) => Err(Kind::Busy),
        });
    }
    assert_eq!(ends, [Ok(()), Err(Kind::Busy)]);
}

/// A connection that waits for another's mark is seen to wait; it never runs beside it.
#[tokio::test]
async fn i3_a_mark_waits_for_the_same_mark_of_a_transaction_that_is_open() {
    let all = Postgres::open().await;
    let mark = Mark::new("billing", tegami::envelope::MessageId::parse("m-1").expect("a good id"), [7; 32]);
    for (commits, expected) in [(false, Marked::New), (true, Marked::Known)] {
        let (mut first, mut copy) =
            (all.db.begin().await.expect("it begins"), all.db.begin().await.expect("it begins"));
        if commits {
            all.beside("TRUNCATE tegami.inbox").await;
        }
        assert_eq!(all.db.mark(&mut first, &mark).await.expect("it is marked"), Marked::New);
        let mut marked = Box::pin(all.db.mark(&mut copy, &mark));
        tokio::select! {
            biased;
            early = &mut marked => panic!("it did not wait: {early:?}"),
            () = all.somebody_waits() => {}
        }
        match commits {
            true => all.db.commit(first).await.expect("it is committed"),
            false => drop(first),
        }
        assert_eq!(marked.await.expect("it is marked"), expected);
        all.db.commit(copy).await.expect("it is committed");
    }
    until(async || all.marks().await == 1).await;
}
