//! A process that ends at each point of a projection, and starts again: every event has its effect once.

#![cfg(unix)]

use std::{
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tegami::{
    Service,
    error::BoxError,
    failpoint::{
        Point,
        fail::{self, FailScenario},
    },
    projection::{Checkpoints, Id, Projection},
    sqlite::{Database, Tx},
    store::{Append, Position, Store, Stored, StreamId},
    transport::Memory,
};
use tokio::runtime::Runtime;

use crate::contracts::shop::orders::v1::OrderPaid;

/// Tells the binary to be the process that ends, and where its folder is.
const ROLE: &str = "FAILPOINTS_PROJECTION";
const EVENTS: i64 = 10;
const LONG: Duration = Duration::from_secs(60);
const SIGABRT: i32 = 6;

struct Folder(PathBuf);

impl Folder {
    async fn new(name: &str) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("tegami-projection-{}-{name}", std::process::id())));
        std::fs::create_dir_all(&folder.0).expect("a folder can be made");
        let (db, store) = open(&folder.0).await;
        let mut tx = db.begin().await.expect("it begins");
        tx.run(|sql| sql.execute_batch("CREATE TABLE sales (amount INTEGER)")).await.expect("it is made");
        tx.commit().await.expect("it is committed");
        let paid = |amount| OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(amount).build();
        let append = Append::to(StreamId::new("o-1").expect("a good name"));
        let append = (1..=EVENTS).fold(append, |append, n| append.event(&paid(n)).expect("it is valid"));
        store.append(append).await.expect("it is appended");
        db.close().await;
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn open(folder: &Path) -> (Database, Store) {
    let db = Database::connect(folder.join("shop.db")).await.expect("the file can be opened");
    let store = Store::new(db.store());
    (db, store)
}

async fn write(paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
    tx.run(move |sql| sql.execute("INSERT INTO sales VALUES (?1)", [paid.event.amount_minor])).await?;
    Ok(())
}

/// Runs the projection until it has all events, three in a transaction.
async fn work(folder: &Path) {
    let (db, store) = open(folder).await;
    let sales = Projection::new("sales", 1).on::<OrderPaid>(write);
    let progress = sales.progress(&db, &store);
    let service = Service::new("shop").transport(Memory::new());
    // What another process held that has ended since is free soon.
    let service = service.projection_with(&db, &store, sales, |options| {
        options.batch(3).hold(Duration::from_secs(1)).poll(Duration::from_millis(20))
    });
    let running = service.start().await.expect("it starts");
    progress.until(Position::new(EVENTS.unsigned_abs()), LONG).await.expect("it gets there");
    running.stop().await.expect("it stops");
    db.close().await;
}

/// The amounts in the table, and the checkpoint.
async fn found(folder: &Path) -> (Vec<i64>, u64) {
    let (db, _) = open(folder).await;
    let mut tx = db.begin().await.expect("it begins");
    let read = tx.run(|sql| {
        let mut statement = sql.prepare("SELECT amount FROM sales ORDER BY rowid")?;
        statement.query_map((), |row| row.get(0))?.collect()
    });
    let sales = read.await.expect("it is read");
    drop(tx);
    let checkpoint = db.checkpoint(&Id::new("sales", 1)).await.expect("it is read");
    db.close().await;
    (sales, checkpoint.map_or(0, |checkpoint| checkpoint.position.number()))
}

/// Not a test by itself: the process that the test below starts.
#[test]
fn process() {
    let Some(folder) = std::env::var_os(ROLE) else { return };
    let scenario = FailScenario::setup();
    Runtime::new().expect("a runtime").block_on(work(Path::new(&folder)));
    scenario.teardown();
}

/// Runs it with these points set, and says whether it ended at one.
fn ended_at_point(folder: &Path, set: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["projection::process", "--exact"]).stdin(Stdio::null());
    let output = command.env(ROLE, folder).env("FAILPOINTS", set).output().expect("this binary runs");
    let ended = output.status.signal() == Some(SIGABRT);
    assert!(ended || output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    ended
}

/// As many effects as the checkpoint says, each once.
async fn check(folder: &Path, what: &str) -> u64 {
    let (sales, checkpoint) = found(folder).await;
    assert_eq!(sales, (1..=checkpoint as i64).collect::<Vec<_>>(), "{what}: the checkpoint is {checkpoint}");
    checkpoint
}

/// E-04.
#[tokio::test]
async fn e4_f27_a_process_that_ends_at_any_point_of_a_projection_leaves_effect_and_checkpoint_together() {
    for point in Point::IN_PROJECTIONS {
        for passed in [0, 1, 2] {
            let what = format!("{} after {passed}", point.name());
            let folder = Folder::new(&format!("{}-{passed}", point.name())).await;
            let set = format!("{}={passed}*off->1*return(abort)", point.name());
            assert!(ended_at_point(&folder.0, &set), "{what}: it was not passed");
            check(&folder.0, &what).await;
            assert!(!ended_at_point(&folder.0, ""), "{what}");
            assert_eq!(check(&folder.0, &what).await, EVENTS.unsigned_abs(), "{what}");
        }
    }
}

#[tokio::test]
async fn e4_a_failure_at_any_point_of_a_projection_is_mended_by_the_next_attempt() {
    let scenario = FailScenario::setup();
    for point in Point::IN_PROJECTIONS {
        let folder = Folder::new(&format!("{}-error", point.name())).await;
        fail::cfg(point.name(), "1*off->2*return(error)->off").expect("a good action");
        work(&folder.0).await;
        assert_eq!(check(&folder.0, point.name()).await, EVENTS.unsigned_abs(), "{}", point.name());
        fail::remove(point.name());
    }
    scenario.teardown();
}
