//! An event store that fails, or a process that ends, between the steps of an append.

#![cfg(unix)]

use std::{
    ffi::OsStr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tegami::{
    failpoint::{
        Point,
        fail::{self, FailScenario},
        hits,
    },
    store::{Append, Expected, Postgres, Sqlite, Store, StoreErrorKind, StreamId, Version},
    testing::at_length,
};
use tokio::runtime::Runtime;

use crate::contracts::shop::orders::v1::OrderPaid;

/// Tells the binary to be the process that ends, and where the file is.
const ROLE: &str = "FAILPOINTS_STORE";

const SIGABRT: i32 = 6;

/// A file that goes with this.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("tegami-failpoints-{}-{name}.db", std::process::id())));
        file.remove();
        file
    }

    fn remove(&self) {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", self.0.display()));
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

fn stream() -> StreamId {
    StreamId::new("order/o-1").expect("a good name")
}

/// Three payments of the same amount.
fn payments(amount: i64) -> Append {
    let paid = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(amount).build();
    (0..3).fold(Append::to(stream()), |append, _| append.event(&paid).expect("it is valid"))
}

async fn open(path: &Path) -> Store {
    Store::new(Sqlite::connect(path).await.expect("the file can be opened"))
}

async fn amounts(store: &Store) -> Vec<i64> {
    let read = store.read::<OrderPaid>(&stream(), Version::START).await.expect("it is read");
    read.into_iter().map(|stored| stored.event.amount_minor).collect()
}

/// How many appends there are: so many that each point is passed at each of the positions.
fn appends() -> i64 {
    at_length(2, 20) as i64
}

/// Not a test by itself: the process that the tests below start.
#[test]
fn process() {
    let Some(place) = std::env::var_os(ROLE) else { return };
    let scenario = FailScenario::setup();
    Runtime::new().expect("a runtime").block_on(async {
        let store = match place.to_str().filter(|place| place.starts_with("postgres://")) {
            Some(url) => Store::new(Postgres::connect(url).await.expect("it can be reached")),
            None => open(Path::new(&place)).await,
        };
        for amount in 1..=appends() {
            store.append(payments(amount)).await.expect("it is appended");
        }
    });
    scenario.teardown();
}

/// Ends the process at this point, once it was passed so often.
fn ends(place: &OsStr, point: Point, passed: i64) {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["store::process", "--exact"]).stdin(Stdio::null());
    let set = format!("{}={passed}*off->1*return(abort)", point.name());
    let output = command.env(ROLE, place).env("FAILPOINTS", set).output().expect("this binary runs");
    assert_eq!(output.status.signal(), Some(SIGABRT), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Where the process is ended: at a point that was passed so often, and how many appends are whole then.
fn strikes() -> impl Iterator<Item = (Point, i64, i64)> {
    (0..appends()).flat_map(|n| {
        // Each append passes the first point three times; it is ended at another one of them each time.
        let between = (Point::StoreBetweenEvents, 3 * n + n % 3, n);
        [between, (Point::StoreBeforeCommit, n, n), (Point::StoreAfterCommit, n, n + 1)]
    })
}

fn is_whole(point: Point, passed: i64, (left, whole): (Vec<i64>, i64)) {
    let expected: Vec<i64> = (1..=whole).flat_map(|amount| [amount; 3]).collect();
    assert_eq!(left, expected, "{} after {passed}", point.name());
}

fn told(name: &str) {
    println!("{name}: ended {} times at each point of an append: all of its events are there, or none", appends());
}

#[test]
fn e2_f27_a_process_that_ends_at_any_point_leaves_all_events_of_an_append_or_none() {
    for (point, passed, whole) in strikes() {
        let file = File::new(point.name());
        ends(file.0.as_os_str(), point, passed);
        let left = Runtime::new().expect("a runtime").block_on(async { amounts(&open(&file.0).await).await });
        is_whole(point, passed, (left, whole));
    }
    told("sqlite");
}

#[tokio::test]
async fn e1_a_store_that_fails_in_between_has_recorded_nothing() {
    let scenario = FailScenario::setup();
    let file = File::new("error");
    let store = open(&file.0).await;
    for (amount, point) in [Point::StoreBetweenEvents, Point::StoreBeforeCommit].into_iter().enumerate() {
        fail::cfg(point.name(), "1*return(error)").expect("a good action");
        let error = store.append(payments(9)).await.expect_err("it was struck");
        assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
        assert_eq!(amounts(&store).await.len(), 3 * amount);
        store.append(payments(1)).await.expect("it goes on");
    }
    scenario.teardown();
}

/// E1: the answer is lost, and the same append is made again: it is there once, and answered; also where it insists on a
/// version, which is not that of the stream any more.
async fn is_recorded_once_whose_answer_is_lost(store: &Store) {
    let scenario = FailScenario::setup();
    let lose = |times: usize| {
        let action = format!("{times}*return(error)");
        fail::cfg(Point::StoreAfterCommit.name(), &action).expect("a good action");
    };
    for (number, expected) in
        [Expected::None, Expected::Exactly(Version::new(3)), Expected::Any].into_iter().enumerate()
    {
        lose(1);
        let before = hits(Point::StoreAfterCommit);
        let appended = store.append(payments(1).expecting(expected)).await.expect("it finds out");
        assert_eq!(hits(Point::StoreAfterCommit) - before, 2, "the answer was lost once");
        let version = 3 * (number as u64 + 1);
        assert_eq!(appended.version, Version::new(version));
        assert_eq!(amounts(store).await.len() as u64, version, "each of the three is there once");
    }
    lose(2);
    let error = store.append(payments(2)).await.expect_err("it does not find out");
    assert_eq!(error.kind(), StoreErrorKind::Unknown, "{error}");
    assert_eq!(amounts(store).await, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2]);
    scenario.teardown();
}

#[tokio::test]
async fn e1_an_append_whose_answer_is_lost_is_recorded_once() {
    let file = File::new("lost");
    is_recorded_once_whose_answer_is_lost(&open(&file.0).await).await;
}

mod postgres {
    use super::*;
    use crate::outbox::place::{Place, Postgres};

    #[test]
    fn e2_f27_a_process_that_ends_at_any_point_leaves_all_events_of_an_append_or_none() {
        let (place, runtime) = (Postgres::new(), Runtime::new().expect("a runtime"));
        // One statement writes all events there: nothing is between them.
        for (point, passed, whole) in strikes().filter(|(point, ..)| *point != Point::StoreBetweenEvents) {
            let address = place.fresh(Path::new(""));
            ends(OsStr::new(&address), point, passed);
            let left = runtime.block_on(async {
                let db = Postgres::open(&address).await;
                let left = amounts(&Postgres::store(&db)).await;
                Postgres::close(db).await;
                left
            });
            is_whole(point, passed, (left, whole));
        }
        told("postgres");
    }

    #[test]
    fn e1_an_append_whose_answer_is_lost_is_recorded_once() {
        let (place, runtime) = (Postgres::new(), Runtime::new().expect("a runtime"));
        let address = place.fresh(Path::new(""));
        runtime.block_on(async {
            let db = Postgres::open(&address).await;
            is_recorded_once_whose_answer_is_lost(&Postgres::store(&db)).await;
            Postgres::close(db).await;
        });
    }
}
