//! A disk that is full.

use std::time::Duration;

use tegami::{
    Context, HandlerError, Retry, Service,
    outbox::{Database as _, DatabaseErrorKind as Kind, Outbox},
    sqlite::{Database, Tx},
    testing::TestService,
};
use tegami_test_servers::SmallDisk;
use tokio::runtime;

use super::{write, written};
use crate::{OrderPaid, ReceiptSent, Subject, paid, receipt, sqlite::File};

/// The disk, and what of it something else has at first: a log of 4 MiB has to be copied into the file once there is room.
const DISK: usize = 20;
const TAKEN: usize = 12;

async fn send_receipt(order: OrderPaid, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
    write(tx, &order.order_id).await?;
    ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
    Ok(())
}

/// Effect and message of an order in one transaction, if there is room.
async fn commit(db: &Database, orders: &TestService, order: &str) -> Result<(), Kind> {
    let mut tx = db.begin().await.map_err(|error| error.kind())?;
    write(&mut tx, order).await.map_err(|error| error.kind())?;
    let put = orders.publisher().in_transaction(&mut tx).publish(&receipt(order)).await;
    if let Err(refused) = put {
        assert!(format!("{refused:?}").contains("has no room left"), "{refused:?}");
        assert!(tx.commit().await.is_err(), "SQLite has undone it");
        return Err(Kind::Full);
    }
    db.commit(tx).await.map_err(|error| error.kind())
}

/// T5, F45, I1: transactions fail whole, an attempt of a handler as well; and all goes on, on the open file, once there is
/// room.
async fn is_full_and_goes_on(disk: &SmallDisk) {
    disk.take(Some(TAKEN));
    let db = File::connect(&disk.path().join("shop.db").display().to_string()).await;
    let mut tx = db.begin().await.expect("it begins");
    tx.run(|sql| sql.execute_batch("CREATE TABLE receipts (number INTEGER PRIMARY KEY, order_id TEXT)"))
        .await
        .expect("it is made");
    tx.commit().await.expect("it is committed");
    let billing = Service::new("billing").transactional(&db);
    let patient = Retry::after([Duration::from_secs(5); 20]);
    let billing = billing.on_with::<OrderPaid>(send_receipt, |s| s.retry(patient));
    let orders = TestService::start(billing).await.expect("it starts");
    let mut kept = 0;
    let long = |number: usize| format!("{number}-{}", "x".repeat(4_000));
    let refused = loop {
        match commit(&db, &orders, &long(kept)).await {
            Ok(()) => kept += 1,
            Err(kind) => break kind,
        }
    };
    assert_eq!(refused, Kind::Full);
    orders.publish(&paid(long(kept))).await.expect("it is published");
    orders.advance(Duration::from_secs(12)).await;
    assert!(kept > 50 && orders.handled::<OrderPaid>().is_empty(), "{kept}");
    assert_eq!((written(&db).await.len(), db.waiting().await.expect("it is read")), (kept, kept as u64));
    disk.give_back();
    orders.advance(Duration::from_secs(10)).await;
    assert_eq!(orders.handled::<OrderPaid>().len(), 1, "there is room again");
    assert_eq!((written(&db).await.len(), db.waiting().await.expect("it is read")), (kept + 1, kept as u64 + 1));
    orders.stop().await.expect("it stops");
    let relay = Service::new("orders").outbox(&db).allow_unroutable::<ReceiptSent>();
    let relay = TestService::start(relay).await.expect("it starts");
    relay.settle().await;
    assert_eq!(relay.published::<ReceiptSent>().len(), kept + 1);
    relay.stop().await.expect("it stops");
    db.close().await;
    println!("sqlite: full after {kept} transactions, each whole; one waited for room; all {} sent", kept + 1);
}

#[test]
fn t5_f45_a_disk_that_is_full_fails_transactions_whole_and_everything_goes_on_once_there_is_room() {
    const TEST: &str =
        "sqlite::full::t5_f45_a_disk_that_is_full_fails_transactions_whole_and_everything_goes_on_once_there_is_room";
    let Some(disk) = SmallDisk::of(DISK, TEST) else { return };
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(is_full_and_goes_on(&disk));
}
