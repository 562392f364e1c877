//! A disk that is full, under a real server: that of its tables, and that of everything else.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tegami::{error::BoxError, outbox::Outbox, transport::PublishErrorKind};
use tegami_test_servers::{Postgres as Server, SmallDisk, is_root};
use tokio::runtime::Runtime;

use super::{Postgres, Relay, until};
use crate::{Subject, receipt};

/// What a cluster with its log needs, what an empty database needs and some room, and more room.
const CLUSTER: usize = 256;
const TABLES: usize = 24;
const MORE: usize = 64;

/// Effect and message of an order in one transaction.
async fn commit(all: &Postgres, relay: &Relay, order: &str) -> Result<(), BoxError> {
    let mut tx = all.db.begin().await?;
    Postgres::write(&mut tx, order).await?;
    relay.publisher().in_transaction(&mut tx).publish(&receipt(order)).await?;
    Ok(all.db.commit(tx).await?)
}

/// An order with a name that cannot be made shorter.
fn order(number: usize) -> String {
    let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(3_000).collect();
    format!("{number}-{random}")
}

/// Commits until it is refused: what was committed, and why no more was.
async fn fill(all: &Postgres, relay: &Relay, after: impl AsyncFn()) -> (BTreeSet<String>, BoxError) {
    let mut kept = BTreeSet::new();
    loop {
        let order = order(kept.len());
        match commit(all, relay, &order).await {
            Ok(()) => kept.insert(order),
            Err(error) => return (kept, error),
        };
        after().await;
    }
}

async fn written(all: &Postgres) -> BTreeSet<String> {
    let written = all.written().await;
    let once: BTreeSet<_> = written.iter().cloned().collect();
    assert_eq!(once.len(), written.len(), "an effect is there twice");
    once
}

/// The disk of the tables is full: transactions fail whole, everything can be read, and it goes on once there is room.
async fn tables_are_full(all: &Postgres, relay: &Relay) -> BTreeSet<String> {
    let (kept, error) = fill(all, relay, async || {}).await;
    assert!(format!("{error:?}").contains("No space left on device"), "{error:?}");
    for number in 0..3 {
        let again = commit(all, relay, &order(number)).await.expect_err("it is full");
        assert!(format!("{again:?}").contains("No space left on device"), "{again:?}");
    }
    assert!(kept.len() > 20, "{}", kept.len());
    assert!(written(all).await == kept, "something is half written, or lost");
    assert_eq!(all.db.waiting().await.expect("it is read"), kept.len() as u64);
    kept
}

/// Everything else is full: the server cannot write its log and ends. What was answered is there when it is back.
async fn log_is_full(all: &Postgres, relay: &Relay, disk: &SmallDisk, before: &BTreeSet<String>) {
    disk.take(None);
    let fill_log = async || {
        // It fails where the server has ended meanwhile.
        let _ = sqlx::query("SELECT pg_switch_wal()").execute(&all.pool).await;
    };
    let (kept, error) = fill(all, relay, fill_log).await;
    println!("with its log full, the server took {} more and then said: {error:?}", kept.len());
    disk.give_back();
    all.server.start().await;
    until(async || all.db.waiting().await.is_ok()).await;
    let (there, answered): (_, BTreeSet<String>) = (written(all).await, before.union(&kept).cloned().collect());
    assert!(there.is_superset(&answered), "what was answered is lost");
    assert!(there.len() <= answered.len() + 1, "what was refused is there");
}

/// T5, F45.
#[test]
fn t5_f45_a_disk_that_is_full_fails_transactions_whole_and_everything_goes_on_once_there_is_room() {
    const TEST: &str =
        "postgres::full::t5_f45_a_disk_that_is_full_fails_transactions_whole_and_everything_goes_on_once_there_is_room";
    if !is_root() {
        println!("NO DISK: a server on one needs root; `t5_f45_a_full_disk_…` stands for it");
        return;
    }
    let Some(disk) = SmallDisk::of(CLUSTER, TEST) else { return };
    Runtime::new().expect("a runtime").block_on(async {
        let server = Server::take_on(&disk).await;
        let tables = disk.another(TABLES, "postgres");
        let place = tables.path().display();
        server
            .sql(&format!("CREATE TABLESPACE small LOCATION '{place}'; ALTER DATABASE test SET TABLESPACE small"))
            .await;
        let (all, away) = (Postgres::on(server).await, Arc::new(AtomicBool::new(true)));
        let is_away = away.clone();
        let mood = move |_: &_| is_away.load(Ordering::SeqCst).then_some(PublishErrorKind::Unreachable);
        let relay = Relay::answering(&all.db, |options| options, mood).await;
        let kept = tables_are_full(&all, &relay).await;
        tables.grow(MORE);
        log_is_full(&all, &relay, &disk, &kept).await;
        commit(&all, &relay, "there is room again").await.expect("there is room again");
        away.store(false, Ordering::SeqCst);
        let there = written(&all).await;
        until(async || all.db.waiting().await.is_ok_and(|waiting| waiting == 0)).await;
        let sent: BTreeSet<_> = relay.sent().into_iter().collect();
        assert!(sent == there, "what went out is what is there");
        println!("postgres: full after {} transactions, each whole; all {} sent", kept.len(), there.len());
    });
}
