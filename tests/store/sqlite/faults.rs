//! What goes wrong with a file while it is open.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use tegami::{
    store::{Append, Position, Query, Sqlite, Store, StoreErrorKind, Version},
    time::Wall,
};

use super::{Folder, opening::beside, store_at};
use crate::{
    contracts::shop::orders::v1::OrderPaid,
    payments::{amounts, paid, payments, stream},
};

#[tokio::test]
async fn f47_a_locked_file_is_waited_for_and_then_refused_with_nothing_recorded() {
    let folder = Folder::new();
    let sqlite = Sqlite::at(folder.file()).lock_wait(Duration::from_millis(50)).connect().await;
    let store = Store::new(sqlite.expect("the file can be opened"));
    store.append(payments("o-1", 1)).await.expect("it is appended");
    let other = beside(&folder.file());
    other.execute_batch("BEGIN IMMEDIATE").expect("it takes the lock");
    let error = store.append(payments("o-1", 1)).await.expect_err("it is locked");
    assert_eq!(error.kind(), StoreErrorKind::Busy);
    assert!(error.to_string().contains("is locked") && error.is_transient(), "{error}");
    assert_eq!(amounts(&store, "o-1").await, [1], "readers do not wait");
    other.execute_batch("ROLLBACK").expect("it gives the lock back");
    store.append(payments("o-1", 2)).await.expect("it is appended");
    assert_eq!(amounts(&store, "o-1").await, [1, 1, 2]);
}

#[tokio::test]
async fn f47_a_lock_that_is_given_back_in_time_is_not_noticed() {
    let folder = Folder::new();
    let store = store_at(&folder.file()).await;
    let other = beside(&folder.file());
    other.execute_batch("BEGIN IMMEDIATE").expect("it takes the lock");
    let appending = tokio::spawn(async move { store.append(payments("o-1", 1)).await });
    std::thread::spawn(move || other.execute_batch("COMMIT")).join().expect("no panic").expect("it is given back");
    appending.await.expect("no panic").expect("it is appended");
}

#[tokio::test]
async fn e3_the_order_is_that_of_the_appends_even_if_the_clock_goes_back() {
    let folder = Folder::new();
    let wall = Wall::system();
    let store = store_at(&folder.file()).await.wall(wall.clone());
    for n in 1..=5 {
        store.append(Append::to(stream("o-1")).event(&paid("o-1", n)).expect("valid")).await.expect("appended");
        wall.back(Duration::from_secs(3600));
    }
    let read = store.read::<OrderPaid>(&stream("o-1"), Version::START).await.expect("it is read");
    let times: Vec<Option<SystemTime>> = read.iter().map(|stored| stored.head.time).collect();
    assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "{times:?}");
    assert_eq!(amounts(&store, "o-1").await, [1, 2, 3, 4, 5]);
    let page = store.inner().read_all(&Query::all(), Position::START, 10).await.expect("it is read");
    assert!(page.events.windows(2).all(|pair| pair[0].position < pair[1].position));
}

#[tokio::test]
async fn a_row_that_something_else_has_changed_is_told_of_by_name() {
    let folder = Folder::new();
    let store = store_at(&folder.file()).await;
    store.append(payments("o-1", 3)).await.expect("it is appended");
    let change = |sql: &str| beside(&folder.file()).execute(sql, ()).expect("it is written");
    let fault = async || {
        let error = store.read::<OrderPaid>(&stream("o-1"), Version::START).await.expect_err("it cannot be read");
        (error.kind(), format!("{error:?}"))
    };
    change("UPDATE tegami_events SET payload = x'ff' WHERE version = 2");
    let (kind, text) = fault().await;
    assert_eq!(kind, StoreErrorKind::Unreadable);
    assert!(text.contains("version 2 of stream `o-1`"), "{text}");
    change("UPDATE tegami_events SET event = 'shop.orders.v7.OrderLost' WHERE version = 2");
    let (kind, text) = fault().await;
    assert_eq!(kind, StoreErrorKind::Unreadable);
    assert!(text.contains("`shop.orders.v7.OrderLost`") && text.contains("`shop.orders.v1.OrderPaid`"), "{text}");
    change("UPDATE tegami_events SET head = '{' WHERE version = 2");
    let (kind, text) = fault().await;
    assert_eq!(kind, StoreErrorKind::Damaged);
    assert!(text.contains("events.db"), "{text}");
}

/// Whatever is left of the log beside the file, what is read is whole appends, and the first of them.
#[tokio::test]
async fn f46_a_log_cut_at_any_place_leaves_whole_appends() {
    let folder = Folder::new();
    let store = store_at(&folder.file()).await;
    for _ in 0..12 {
        store.append(payments("o-1", 3)).await.expect("it is appended");
    }
    let log = fs::read(folder.0.join("events.db-wal")).expect("there is a log");
    let file = fs::read(folder.file()).expect("there is a file");
    let mut seen = std::collections::BTreeSet::new();
    for cut in (0..log.len()).step_by(log.len() / 97).chain([log.len() - 1, log.len()]) {
        let copy = Folder::new();
        fs::write(copy.file(), &file).expect("it is written");
        fs::write(copy.0.join("events.db-wal"), &log[..cut]).expect("it is written");
        let reopened = store_at(&copy.file()).await;
        let left = amounts(&reopened, "o-1").await;
        assert_eq!(left, [1, 2, 3].repeat(left.len() / 3), "cut at {cut} of {}", log.len());
        reopened.append(payments("o-1", 3)).await.expect("it goes on");
        seen.insert(left.len());
    }
    assert!(seen.len() > 6 && seen.contains(&36), "the cuts were everywhere: {seen:?}");
}
