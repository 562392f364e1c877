//! Events that cannot be handled, and databases and stores that are away.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tegami::{
    Error, Service,
    error::BoxError,
    health::{Kind, State, Status},
    projection::{Handler, Progress, Projection},
    service::Running,
    sqlite::{Database, Tx},
    store::{
        Append, Appended, EventStore, Page, Position, Query, Recorded, Snapshot, Sqlite, Store, StoreError,
        StoreErrorKind, StreamId, Version,
    },
    telemetry::{Fact, Lagged},
    testing::TestService,
    transport::Memory,
};

use super::{LONG, Shop, Told, all_of, sales, write_sale};
use crate::{contracts::shop::orders::v1::OrderPaid, payments::payments, sqlite::store_at};

async fn status(running: &Running) -> Status {
    let health = running.health().await;
    let found = health.components.into_iter().find(|component| component.kind == Kind::Projection);
    let component = found.expect("the projection is among the components");
    assert_eq!(component.name, "sales 1");
    component.status
}

/// Waits until the projection is so.
async fn until(running: &Running, is: impl Fn(&Status) -> bool) -> Status {
    let waiting = async {
        loop {
            let status = status(running).await;
            if is(&status) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, waiting).await.expect("it becomes so")
}

async fn stands(running: &Running) -> String {
    let stands = |status: &Status| status.reason().is_some_and(|reason| reason.contains("stands still"));
    let status = until(running, stands).await;
    assert_eq!(status.state(), State::Degraded);
    status.reason().expect("it has one").to_owned()
}

/// Nothing is skipped: what comes before is there, what comes after waits.
#[tokio::test]
async fn an_event_that_fails_has_the_projection_stand_still_until_it_is_handled() -> Result<(), Error> {
    let shop = Shop::new().await;
    let told = Told::default();
    told.fail(true);
    let projection = told.sales();
    let progress = shop.progress(&projection);
    let last = shop.append("o-1", 6).await;
    let running = shop.run_with(projection, |options| options.retries(2)).await;
    let reason = stands(&running).await;
    let named = ["shop.orders.v1.OrderPaid", "version 3 of stream `o-1`", "position 3", "it was told to fail"];
    assert!(named.iter().all(|named| reason.contains(named)), "{reason}");
    assert_eq!(shop.sales().await, all_of("o-1", 2), "what comes before is committed, and nothing else");
    assert!(progress.has_reached(Position::new(2)).await.expect("it is known"));
    assert!(!progress.has_reached(Position::new(3)).await.expect("it is known"));
    assert_eq!(progress.lag().await.expect("it is known").events, 4);

    told.fail(false);
    progress.until(last, LONG).await.expect("it goes on");
    assert_eq!(shop.sales().await, all_of("o-1", 6));
    until(&running, |status| status.state() == State::Up).await;
    running.stop().await?;
    Ok(())
}

/// One that is stopped and started again stands at the same event.
#[tokio::test]
async fn a_projection_that_stands_still_does_so_after_a_restart_too() -> Result<(), Error> {
    let shop = Shop::new().await;
    let told = Told::default();
    told.fail(true);
    shop.append("o-1", 6).await;
    for _ in 0..2 {
        let running = shop.run_with(told.sales(), |options| options.retries(0)).await;
        stands(&running).await;
        running.stop().await?;
        assert_eq!(shop.sales().await, all_of("o-1", 2));
    }
    Ok(())
}

/// A row that somebody has changed is not skipped either.
#[tokio::test]
async fn an_event_that_cannot_be_read_has_the_projection_stand_still_until_it_can() -> Result<(), Error> {
    let shop = Shop::new().await;
    let (progress, last) = (shop.progress(&sales()), shop.append("o-1", 6).await);
    let file = rusqlite::Connection::open(shop.folder.file()).expect("the file can be opened");
    let payload = "SELECT payload FROM tegami_events WHERE version = 3";
    let payload: Vec<u8> = file.query_row(payload, (), |row| row.get(0)).expect("it is there");
    let change = |payload: &[u8]| {
        file.execute("UPDATE tegami_events SET payload = ?1 WHERE version = 3", [payload]).expect("it is written")
    };
    change(&[0xff]);
    let running = shop.run_with(sales(), |options| options.retries(0)).await;
    let reason = stands(&running).await;
    assert!(reason.contains("version 3 of stream `o-1`"), "{reason}");
    assert_eq!(shop.sales().await, all_of("o-1", 2));
    change(&payload);
    progress.until(last, LONG).await.expect("it goes on");
    assert_eq!(shop.sales().await, all_of("o-1", 6));
    running.stop().await?;
    Ok(())
}

/// Fails in its own way at the payment of 2, the first few times.
struct Bad {
    how: &'static str,
    left: AtomicUsize,
}

impl Handler<OrderPaid, Tx> for Bad {
    async fn call(&self, paid: Stored, tx: &mut Tx) -> Result<(), BoxError> {
        let is_bad = paid.event.amount_minor == 2
            && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        write_sale(paid, tx).await?;
        match self.how {
            _ if !is_bad => Ok(()),
            "panics" => panic!("as it is told"),
            "panics inside" => Ok(tx.run(|_| -> rusqlite::Result<()> { panic!("as it is told") }).await?),
            "hangs" => std::future::pending().await,
            "misspells" => tx.run(|sql| sql.execute_batch("INSERT INTO nowhere VALUES (1)")).await.map_err(Into::into),
            how => Err(how.into()),
        }
    }
}

type Stored = tegami::store::Stored<OrderPaid>;

#[tokio::test]
async fn h1_a_handler_that_panics_hangs_or_breaks_is_tried_again_and_its_effect_is_there_once() -> Result<(), Error> {
    for how in ["panics", "panics inside", "hangs", "misspells", "fails"] {
        let shop = Shop::new().await;
        let last = shop.append("o-1", 4).await;
        let projection = Projection::new("sales", 1).on::<OrderPaid>(Bad { how, left: AtomicUsize::new(3) });
        let progress = shop.progress(&projection);
        let running = shop.run_with(projection, |options| options.timeout(Duration::from_millis(100))).await;
        progress.until(last, LONG).await.unwrap_or_else(|error| panic!("{how}: {error}"));
        assert_eq!(shop.sales().await, all_of("o-1", 4), "{how}");
        running.stop().await?;
    }
    Ok(())
}

/// A store that cannot be read while it is told so.
struct Away {
    store: Sqlite,
    is_away: Arc<AtomicBool>,
}

impl Away {
    fn asked(&self) -> Result<(), StoreError> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(StoreError::new(StoreErrorKind::Unreachable, "the store is away")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl EventStore for Away {
    fn name(&self) -> &'static str {
        "away"
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.store.append(append).await
    }

    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.store.read_stream(stream, after, limit).await
    }

    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError> {
        self.asked()?;
        self.store.read_all(query, after, limit).await
    }

    async fn later_than(&self, position: Position) -> Result<(), StoreError> {
        self.asked()?;
        self.store.later_than(position).await
    }

    async fn snapshot(&self, stream: &StreamId, state: &str) -> Result<Option<Snapshot>, StoreError> {
        self.store.snapshot(stream, state).await
    }

    async fn keep_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.store.keep_snapshot(snapshot).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

#[tokio::test]
async fn n1_a_store_that_is_away_is_waited_for() -> Result<(), Error> {
    let mut shop = Shop::new().await;
    let is_away = Arc::new(AtomicBool::new(true));
    let store = Sqlite::connect(shop.folder.file()).await.expect("the file can be opened");
    shop.store = Store::new(Away { store, is_away: is_away.clone() });
    let last = shop.append("o-1", 3).await;
    let projection = sales();
    let progress = projection.progress(&shop.db, &store_at(&shop.folder.file()).await);
    let running = shop.run(projection).await;
    let status = until(&running, |status| status.state() == State::Degraded).await;
    assert!(status.reason().expect("it has one").contains("the store is away"), "{status:?}");
    assert!(shop.sales().await.is_empty());
    is_away.store(false, Ordering::SeqCst);
    progress.until(last, LONG).await.expect("it goes on");
    assert_eq!(shop.sales().await, all_of("o-1", 3));
    running.stop().await?;
    Ok(())
}

/// Finds a store in this state, for as long as it is.
struct Finds {
    kind: StoreErrorKind,
    is_away: Arc<AtomicBool>,
}

impl Handler<OrderPaid, Tx> for Finds {
    async fn call(&self, paid: Stored, tx: &mut Tx) -> Result<(), BoxError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::new(self.kind, "as it is told").into());
        }
        write_sale(paid, tx).await
    }
}

/// It says nothing about the event, and counts nothing.
#[tokio::test]
async fn n1_a_store_that_a_handler_finds_away_is_waited_for() -> Result<(), Error> {
    for kind in [StoreErrorKind::Busy, StoreErrorKind::Full, StoreErrorKind::Unreachable] {
        let (shop, is_away) = (Shop::new().await, Arc::new(AtomicBool::new(true)));
        let last = shop.append("o-1", 3).await;
        let projection = Projection::new("sales", 1).on::<OrderPaid>(Finds { kind, is_away: is_away.clone() });
        let progress = shop.progress(&projection);
        let running = shop.run_with(projection, |options| options.retries(0)).await;
        let told = until(&running, |status| status.state() == State::Degraded).await;
        let reason = told.reason().expect("it has one");
        assert!(reason.contains("as it is told") && !reason.contains("stands still"), "{kind:?}: {reason}");
        is_away.store(false, Ordering::SeqCst);
        progress.until(last, LONG).await.expect("it goes on");
        assert_eq!(shop.sales().await, all_of("o-1", 3));
        running.stop().await?;
    }
    Ok(())
}

/// Another process writes to the file, and takes longer than is waited for.
#[tokio::test]
async fn f47_a_database_that_is_locked_is_waited_for() -> Result<(), Error> {
    let mut shop = Shop::of(Store::new(tegami::store::Memory::new())).await;
    let impatient = Sqlite::at(shop.folder.file()).lock_wait(Duration::from_millis(20)).connect().await;
    shop.db = Database::of(&impatient.expect("the file can be opened"));
    let projection = sales();
    let progress = shop.progress(&projection);
    let other = rusqlite::Connection::open(shop.folder.file()).expect("the file can be opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
    let last = shop.append("o-1", 3).await;
    let running = shop.run(projection).await;
    until(&running, |status| status.state() == State::Degraded).await;
    other.execute_batch("COMMIT").expect("it is done");
    progress.until(last, LONG).await.expect("it goes on");
    assert_eq!(shop.sales().await, all_of("o-1", 3));
    running.stop().await?;
    Ok(())
}

/// It is told as a fact, too.
#[tokio::test]
async fn who_observes_sees_that_a_projection_stands_still() -> Result<(), Error> {
    let shop = Shop::of(Store::new(tegami::store::Memory::new())).await;
    let told = Told::default();
    told.fail(true);
    shop.store.append(payments("o-1", 6)).await.expect("it is appended");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keeps = seen.clone();
    let observer = move |fact: &Fact<'_>| {
        if let Fact::Lagged(Lagged { projection, version, events, stands, .. }) = fact {
            assert_eq!((*projection, *version), ("sales", 1));
            keeps.lock().expect("nobody panics").push((*events, *stands));
        }
    };
    let projection = told.sales();
    let progress: Progress = shop.progress(&projection);
    let service = Service::new("shop").observe(observer).projection(&shop.db, &shop.store, projection);
    let service = TestService::start(service.transport(Memory::new())).await?;
    let latest = || seen.lock().expect("nobody panics").last().copied();
    while latest() != Some((Some(4), true)) {
        service.advance(Duration::from_secs(10)).await;
    }
    told.fail(false);
    progress.until_caught_up(LONG).await.expect("it goes on");
    while latest() != Some((Some(0), false)) {
        service.advance(Duration::from_secs(10)).await;
    }
    service.stop().await?;
    Ok(())
}
