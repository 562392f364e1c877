//! What goes wrong with a server while it is in use, and nothing else does.

use std::time::Duration;

use sqlx::Row;
use tegami::{
    envelope::MessageId,
    store::{Append, Position, Postgres, Query, Store, StoreError, StoreErrorKind, Version},
};
use tegami_test_servers::{Fault, Postgres as Server, Proxy, Way};

use super::{beside, execute, store_in};
use crate::{
    contracts::shop::orders::v1::OrderPaid,
    payments::{amounts, paid, payments, stream},
};

/// A store that waits for no statement and no lock longer than a few seconds.
async fn impatient(url: &str) -> Store {
    let short = Duration::from_secs(4);
    let builder = Postgres::at(url).connection_wait(5 * short).lock_wait(short).statement_limit(short);
    Store::new(builder.connect().await.expect("the database can be reached"))
}

async fn refused(store: &Store, append: Append) -> StoreError {
    store.append(append).await.expect_err("it cannot be recorded")
}

/// F47: who holds what an append waits for is waited for, and not for ever.
#[tokio::test]
async fn f47_what_is_locked_is_waited_for_and_then_refused_with_nothing_recorded() {
    let server = Server::take().await;
    let store = impatient(&server.url()).await;
    store.append(payments("o-1", 1)).await.expect("it is appended");
    let mut other = beside(&server).await;
    execute(&mut other, "BEGIN; LOCK TABLE tegami.events IN SHARE ROW EXCLUSIVE MODE").await;
    let error = refused(&store, payments("o-1", 1)).await;
    assert_eq!(error.kind(), StoreErrorKind::Busy, "{error:?}");
    assert!(error.to_string().contains("is locked") && error.is_transient(), "{error}");
    assert_eq!(amounts(&store, "o-1").await, [1], "readers do not wait");
    let (appended, ()) = tokio::join!(store.append(payments("o-1", 2)), execute(&mut other, "ROLLBACK"));
    appended.expect("a lock that is given back in time is not noticed");
    assert_eq!(amounts(&store, "o-1").await, [1, 1, 2]);
}

/// E5: PostgreSQL says that its disk is full; here a trigger does, so that no disk has to be.
#[tokio::test]
async fn e5_a_full_disk_refuses_an_append_as_a_whole() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    store.append(payments("o-1", 2)).await.expect("it is appended");
    let mut other = beside(&server).await;
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
                CREATE TRIGGER full_disk BEFORE INSERT ON tegami.events FOR EACH ROW WHEN (new.version = 4) \
                EXECUTE FUNCTION full_disk()";
    execute(&mut other, full).await;
    let error = refused(&store, payments("o-1", 3)).await;
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error:?}");
    assert_eq!(amounts(&store, "o-1").await, [1, 2]);
    execute(&mut other, "DROP TRIGGER full_disk ON tegami.events").await;
    store.append(payments("o-1", 3)).await.expect("there is room again");
    assert_eq!(amounts(&store, "o-1").await, [1, 2, 1, 2, 3]);
}

#[tokio::test]
async fn tables_and_rows_that_something_else_has_changed_are_told_of_by_name() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    store.append(payments("o-1", 3)).await.expect("it is appended");
    let mut other = beside(&server).await;
    let fault = async || {
        let error = store.read::<OrderPaid>(&stream("o-1"), Version::START).await.expect_err("it cannot be read");
        (error.kind(), format!("{error:?}"))
    };
    execute(&mut other, "UPDATE tegami.events SET event = 'shop.orders.v7.OrderLost' WHERE version = 2").await;
    let (kind, text) = fault().await;
    assert_eq!(kind, StoreErrorKind::Unreadable);
    assert!(text.contains("version 2 of stream `o-1`") && text.contains("`shop.orders.v7.OrderLost`"), "{text}");
    execute(&mut other, "UPDATE tegami.events SET head = '{' WHERE version = 2").await;
    let (kind, text) = fault().await;
    assert_eq!(kind, StoreErrorKind::Damaged);
    assert!(text.contains("schema `tegami`") && text.contains("column `head`"), "{text}");
    execute(&mut other, "ALTER TABLE tegami.events RENAME TO others").await;
    let (kind, text) = fault().await;
    assert_eq!(kind, StoreErrorKind::Mismatch, "{text}");
    assert_eq!(refused(&store, payments("o-1", 1)).await.kind(), StoreErrorKind::Mismatch);
}

/// F47: a server that hangs is told of within the limits, and used again when it goes on.
#[tokio::test]
async fn f47_a_server_that_hangs_is_told_of_and_used_again() {
    let server = Server::take().await;
    let store = impatient(&server.url()).await;
    store.append(payments("o-1", 1)).await.expect("it is appended");
    server.freeze().await;
    let error = refused(&store, payments("o-1", 1)).await;
    assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error:?}");
    let read = store.inner().read_all(&Query::all(), Position::START, 1).await.expect_err("it hangs");
    assert_eq!(read.kind(), StoreErrorKind::Unreachable, "{read:?}");
    server.start().await;
    store.append(payments("o-1", 2)).await.expect("it goes on");
    assert_eq!(amounts(&store, "o-1").await, [1, 1, 2]);
}

/// Payments whose ids are given, so that the store underneath can be asked with them.
fn given(name: &str) -> Append {
    let mut append = Append::to(stream(name)).event(&paid(name, 1)).expect("it is valid");
    let head = &mut append.entries[0].message.head;
    head.id = MessageId::parse(name);
    head.time = Some(std::time::SystemTime::UNIX_EPOCH);
    append
}

/// T3: the answer to a commit is cut off at each of its bytes; the same append, asked once more, finds out.
#[tokio::test]
async fn an_answer_to_a_commit_that_is_cut_off_leaves_the_append_in_doubt_and_asking_again_finds_out() {
    let server = Server::take().await;
    let address = ([127, 0, 0, 1], server.port()).into();
    let proxy = Proxy::to(address, 7).await.expect("there is a port");
    let url = server.url().replace(&server.port().to_string(), &proxy.address().port().to_string());
    let store = Store::new(Postgres::at(url).connections(1).connect().await.expect("it can be reached"));
    let append = async |name: &str| store.inner().append(given(name)).await;
    // The answers to a commit: its name in 12 bytes, and the state of the transaction in 6.
    for (round, left) in [18, 17, 12, 6, 1].into_iter().enumerate() {
        // The first prepares the statements of its connection, the second shows how long the answers are then.
        append(&format!("warm-{round}")).await.expect("it is appended");
        let before = proxy.counts().down;
        append(&format!("long-{round}")).await.expect("it is appended");
        let length = proxy.counts().down - before;
        proxy.put(Way::Down, Fault::CutAfter(length - left));
        let name = format!("shut-{round}");
        let error = append(&name).await.expect_err("its answer is cut off");
        assert_eq!(error.kind(), StoreErrorKind::Unknown, "{left} bytes are missing: {error:?}");
        let found = append(&name).await.expect("it is known, or recorded now");
        assert_eq!(found.version, Version::new(1));
        assert_eq!(amounts(&store, &name).await, [1], "{left} bytes are missing");
    }
    assert_eq!(proxy.counts().resets, 5);
}

/// Whatever is cut off, wherever: asked through `Store`, it is recorded once.
#[tokio::test]
async fn e1_an_append_on_a_connection_that_is_cut_anywhere_is_recorded_once() {
    let server = Server::take().await;
    let address = ([127, 0, 0, 1], server.port()).into();
    let proxy = Proxy::to(address, 7).await.expect("there is a port");
    let url = server.url().replace(&server.port().to_string(), &proxy.address().port().to_string());
    let store = Store::new(Postgres::at(url).connections(1).connect().await.expect("it can be reached"));
    for cut in (0..24).map(|n| n * 41) {
        let way = if cut % 2 == 0 { Way::Down } else { Way::Up };
        proxy.put(way, Fault::CutAfter(cut));
        let name = format!("o-{cut}");
        store.append(payments(&name, 3)).await.unwrap_or_else(|error| panic!("cut after {cut}: {error:?}"));
        proxy.lift();
        assert_eq!(amounts(&store, &name).await, [1, 2, 3], "cut after {cut}");
    }
    let count = sqlx::query("SELECT count(*) FROM tegami.events").fetch_one(&mut beside(&server).await).await;
    assert_eq!(count.expect("it is read").get::<i64, _>(0), 72);
}
