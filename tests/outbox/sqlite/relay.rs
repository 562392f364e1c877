//! Relays: what they publish, in which order, and what they do where the broker does not take it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Error, Service,
    middleware::{Next, from_fn},
    outbox::{DatabaseErrorKind as Kind, Outbox},
    sqlite::Database,
    store::Sqlite,
    testing::TestService,
    transport::{Outgoing, PublishError, PublishErrorKind},
};

use super::{write, written};
use crate::{Folder, ReceiptSent, receipt};

/// A broker's mood, in front of the transport.
fn answering(
    answer: impl Fn(&Outgoing) -> Option<PublishErrorKind> + Send + Sync + 'static,
) -> impl tegami::middleware::Middleware<Outgoing> {
    let answer = Arc::new(answer);
    from_fn(move |outgoing: Outgoing, next: Next<Outgoing>| {
        let answer = answer.clone();
        async move {
            match answer(&outgoing) {
                Some(kind) => Err(PublishError::new(kind, "as it is told")),
                None => next.run(outgoing).await,
            }
        }
    })
}

/// Commits receipts of these orders, one transaction for each.
async fn commit(orders: &TestService, db: &Database, ids: impl IntoIterator<Item = String>) {
    for id in ids {
        let mut tx = db.begin().await.expect("it begins");
        write(&mut tx, &id).await.expect("it is written");
        orders.publisher().in_transaction(&mut tx).publish(&receipt(id)).await.expect("it is put");
        tx.commit().await.expect("it is committed");
    }
}

fn published(orders: &TestService) -> Vec<String> {
    orders.published::<ReceiptSent>().into_iter().map(|receipt| receipt.order_id).collect()
}

/// The broker is away for a minute: nothing is counted, and then all goes out.
#[tokio::test]
async fn t4_an_outage_counts_nothing_and_then_everything_goes_out() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let (away, tries) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (is_away, tried) = (away.clone(), tries.clone());
    let broker = answering(move |_| {
        tried.fetch_add(1, Ordering::SeqCst);
        is_away.load(Ordering::SeqCst).then_some(PublishErrorKind::Unreachable)
    });
    let orders = TestService::start(Service::new("orders").outbox(&db).publish_middleware(broker)).await?;
    let ids: Vec<String> = (0..300).map(|n| format!("o-{}", n % 10)).collect();
    commit(&orders, &db, ids.clone()).await;
    orders.advance(Duration::from_secs(60)).await;
    let mut tx = db.begin().await.expect("it begins");
    let counted = tx.run(|sql| {
        sql.query_row("SELECT count(*), sum(refusals) FROM tegami_outbox", (), |row| Ok((row.get(0)?, row.get(1)?)))
    });
    assert_eq!(counted.await.expect("it is read"), (300, 0));
    tx.rollback().await;
    // At each try the first of each key at most, and tries grow rare.
    assert!(tries.load(Ordering::SeqCst) <= 10 * 30, "{tries:?}");
    assert!(published(&orders).is_empty());
    away.store(false, Ordering::SeqCst);
    orders.settle().await;
    let sent = published(&orders);
    assert_eq!(sent.len(), 300);
    for key in 0..10 {
        assert_eq!(sent.iter().filter(|id| **id == format!("o-{key}")).count(), 30);
    }
    orders.stop().await?;
    Ok(())
}

/// Ten refusals, and it is parked; meanwhile its own key waits and no other.
#[tokio::test]
async fn t4_what_is_refused_ten_times_is_parked_and_blocks_its_own_key_only() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let (refuses, tries) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (refusing, tried) = (refuses.clone(), tries.clone());
    let broker = answering(move |outgoing| {
        let bad = outgoing.key.as_deref() == Some("bad") && refusing.load(Ordering::SeqCst);
        bad.then(|| tried.fetch_add(1, Ordering::SeqCst));
        bad.then_some(PublishErrorKind::Refused)
    });
    let orders = TestService::start(Service::new("orders").outbox(&db).publish_middleware(broker)).await?;
    commit(&orders, &db, ["bad", "good", "good", "bad"].map(str::to_owned)).await;
    orders.advance(Duration::from_secs(60)).await;
    assert_eq!(published(&orders), ["good", "good"]);
    assert!((3..10).contains(&tries.load(Ordering::SeqCst)), "{tries:?}");
    orders.settle().await;
    assert_eq!(tries.load(Ordering::SeqCst), 20, "each of the two ten times");
    let parked = db.parked(9).await.expect("it is read");
    assert_eq!(parked.len(), 2);
    assert_eq!((parked[0].refusals, &*parked[0].reason), (10, "as it is told"));
    refuses.store(false, Ordering::SeqCst);
    assert!(db.send_again(&parked[0].id).await.expect("it is written"));
    orders.settle().await;
    assert_eq!(published(&orders), ["good", "good", "bad"]);
    assert_eq!(db.parked(9).await.expect("it is read").len(), 1);
    orders.stop().await?;
    Ok(())
}

/// What no attempt can mend is parked at once, and a panic on the way is one message's own.
#[tokio::test]
async fn t4_what_can_never_be_sent_is_parked_at_once_and_a_panic_keeps_nobody_waiting() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let broker = answering(|outgoing| match outgoing.key.as_deref() {
        Some("large") => Some(PublishErrorKind::TooLarge),
        Some("panics") => panic!("as it is told"),
        _ => None,
    });
    let orders = TestService::start(Service::new("orders").outbox(&db).publish_middleware(broker)).await?;
    commit(&orders, &db, ["panics", "large", "good"].map(str::to_owned)).await;
    orders.advance(Duration::from_secs(2)).await;
    assert_eq!(published(&orders), ["good"]);
    let [large] = &db.parked(9).await.expect("it is read")[..] else { panic!("one is parked by now") };
    assert_eq!((large.key.as_deref(), large.refusals), (Some("large"), 1));
    orders.settle().await;
    let reasons: Vec<_> = db.parked(9).await.expect("it is read").into_iter().map(|parked| parked.reason).collect();
    assert_eq!(reasons, ["what stands on the message's way panicked: as it is told", "as it is told"]);
    orders.stop().await?;
    Ok(())
}

/// What this process commits goes out at once; what another one does, at the next look.
#[tokio::test]
async fn a_commit_wakes_the_relay_of_its_process_and_others_look_by_themselves() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let elsewhere = Database::connect(folder.file()).await.expect("it opens");
    let hourly = Duration::from_secs(3600);
    let service = Service::new("orders").outbox_with(&db, |options| options.poll(hourly));
    let orders = TestService::start(service).await?;
    orders.advance(Duration::from_secs(1)).await;
    commit(&orders, &db, ["here".to_owned()]).await;
    orders.advance(Duration::from_secs(1)).await;
    assert_eq!(published(&orders), ["here"]);
    commit(&orders, &elsewhere, ["elsewhere".to_owned()]).await;
    orders.advance(hourly / 2).await;
    assert_eq!(published(&orders), ["here"]);
    orders.advance(hourly).await;
    assert_eq!(published(&orders), ["here", "elsewhere"]);
    orders.stop().await?;
    Ok(())
}

/// The disk is full: the transaction fails whole, and works again once messages have gone out.
#[tokio::test]
async fn t5_f45_a_full_disk_fails_the_transaction_and_nothing_is_half_written() -> Result<(), Error> {
    let folder = Folder::new();
    folder.open().await.close().await;
    let small = Sqlite::at(folder.file()).size_limit(256 * 1024).connect().await.expect("it opens");
    let db = Database::of(&small);
    let orders = TestService::start(Service::new("orders")).await?;
    let mut kept = 0;
    let error = loop {
        let mut tx = db.begin().await.expect("it begins");
        let id = format!("{kept}-{}", "x".repeat(4000));
        let (wrote, put) = match write(&mut tx, &id).await {
            Err(error) => (Err(error), None),
            Ok(()) => (Ok(()), Some(orders.publisher().in_transaction(&mut tx).publish(&receipt(id)).await)),
        };
        match (wrote, put) {
            (Err(error), _) => break error.kind(),
            (Ok(()), Some(Err(refused))) => {
                assert_eq!(refused.kind(), PublishErrorKind::Refused);
                assert!(format!("{refused:?}").contains("has no room left"), "{refused:?}");
                assert!(tx.commit().await.is_err(), "SQLite has undone it");
                break Kind::Full;
            }
            _ => tx.commit().await.expect("there was room"),
        }
        kept += 1;
    };
    assert_eq!(error, Kind::Full);
    assert!(kept > 5, "{kept}");
    assert_eq!((written(&db).await.len(), db.waiting().await.expect("it is read")), (kept, kept as u64));
    orders.stop().await?;
    db.close().await;
    // There is room again.
    let db = Database::connect(folder.file()).await.expect("it opens");
    let orders = TestService::start(Service::new("orders").outbox(&db)).await?;
    orders.settle().await;
    assert_eq!(published(&orders).len(), kept);
    commit(&orders, &db, ["there is room again".to_owned()]).await;
    orders.settle().await;
    assert_eq!(written(&db).await.len(), kept + 1);
    orders.stop().await?;
    Ok(())
}

/// A service that only relays is one, and stops between rows: what it did not send is free at once.
#[tokio::test]
async fn s3_a_relay_that_is_stopped_gives_back_what_it_did_not_send() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let (sent, sending) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Notify::new()));
    let (count, told) = (sent.clone(), sending.clone());
    let slow = from_fn(move |outgoing: Outgoing, next: Next<Outgoing>| {
        let (count, told) = (count.clone(), told.clone());
        async move {
            told.notify_one();
            tokio::time::sleep(Duration::from_secs(1)).await;
            count.fetch_add(1, Ordering::SeqCst);
            next.run(outgoing).await
        }
    });
    let orders = TestService::start(Service::new("orders").outbox(&db).publish_middleware(slow)).await?;
    commit(&orders, &db, (0..5).map(|_| "one key".to_owned())).await;
    sending.notified().await;
    orders.stop().await?;
    let left = db.waiting().await.expect("it is read");
    assert_eq!(left + sent.load(Ordering::SeqCst) as u64, 5);
    assert!(left >= 3, "it stopped between rows, not after all of them");
    let orders = TestService::start(Service::new("orders").outbox(&db)).await?;
    orders.advance(Duration::from_secs(2)).await;
    assert_eq!(published(&orders).len() as u64, left, "without waiting for a hold to end");
    orders.stop().await?;
    Ok(())
}

#[tokio::test]
async fn t2_a_test_has_the_time_of_delayed_messages_pass() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let orders = TestService::start(Service::new("orders").outbox(&db).allow_unroutable::<ReceiptSent>()).await?;
    for (id, minutes) in [("later", 20), ("late", 10), ("now", 0)] {
        let mut tx = db.begin().await.expect("it begins");
        let delay = Duration::from_secs(minutes * 60);
        let mut publisher = orders.publisher().in_transaction(&mut tx);
        publisher.publish_with(&receipt(id), |p| p.delay(delay)).await?;
        tx.commit().await.expect("it is committed");
    }
    orders.advance(Duration::from_secs(599)).await;
    assert_eq!(published(&orders), ["now"]);
    orders.advance(Duration::from_secs(5)).await;
    assert_eq!(published(&orders), ["now", "late"]);
    orders.settle().await;
    assert_eq!(published(&orders), ["now", "late", "later"]);
    orders.stop().await?;
    Ok(())
}
