//! A process that ends at each point of a queue of recorded events, and starts again: no event is lost, and one that was
//! given up on is not handled once more.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tegami::{
    Context, HandlerError, Retry, Service,
    failpoint::{
        Point,
        fail::{self, FailScenario},
    },
    records::Records,
    sqlite::Database,
    store::{Append, Store, StreamId},
    transport::Transport,
};
use tokio::runtime::Runtime;

use crate::contracts::shop::orders::v1::OrderPaid;

/// Tells the binary to be the process that ends, and where its folder is.
const ROLE: &str = "FAILPOINTS_RECORDS";
const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";
/// One after the other; the fourth fails once, and the seventh is given up on.
const ORDERS: [&str; 10] = ["o-0", "o-1", "o-2", "late", "o-4", "o-5", "never", "o-7", "o-8", "o-9"];
/// What another process held that has ended since is free soon; where none ends, nobody loses it.
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(30);
const SIGABRT: i32 = 6;

struct Folder(PathBuf);

impl Folder {
    async fn new(name: &str) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("tegami-records-{}-{name}", std::process::id())));
        fs::create_dir_all(&folder.0).expect("a folder can be made");
        let (db, store) = open(&folder.0).await;
        for order in ORDERS {
            let paid = OrderPaid::builder().order_id(order).currency("EUR").amount_minor(1).build();
            let append = Append::to(StreamId::new("orders").expect("a good name")).event(&paid).expect("it is valid");
            store.append(append).await.expect("it is appended");
        }
        db.close().await;
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn open(folder: &Path) -> (Database, Store) {
    let db = Database::connect(folder.join("shop.db")).await.expect("the file can be opened");
    let store = Store::new(db.store());
    (db, store)
}

fn records(db: &Database, store: &Store) -> Records<Database> {
    Records::new(db, store).poll(Duration::from_millis(20)).from_the_first_event()
}

async fn handle(order: OrderPaid, ctx: Context<fs::File>) -> Result<(), HandlerError> {
    let mut file = ctx.state().try_clone()?;
    file.write_all(format!("{} {}\n", order.order_id, ctx.attempt()).as_bytes())?;
    match (&*order.order_id, ctx.attempt()) {
        ("late", 1) => Err(HandlerError::retry("not yet")),
        ("never", _) => Err(HandlerError::reject("it is never good")),
        _ => Ok(()),
    }
}

/// Runs the service until every order is handled, or dead.
async fn work(folder: &Path, hold: Duration) {
    let (db, store) = open(folder).await;
    let file = OpenOptions::new().create(true).append(true).open(folder.join("seen")).expect("a file");
    let service = Service::new("billing").transport(records(&db, &store).hold(hold)).state(file);
    let soon = Retry::after([Duration::from_millis(5); 3]);
    let one_by_one = |s: tegami::Subscription<OrderPaid>| s.retry(soon).concurrency(1);
    let running = service.on_with::<OrderPaid>(handle, one_by_one).start().await.expect("it starts");
    let all_done = async {
        while done(folder).values().filter(|attempts| attempts.iter().any(|done| *done)).count() < ORDERS.len()
            || records(&db, &store).dead_letters(QUEUE, 9).await.map_or(0, |dead| dead.len()) == 0
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_done).await.expect("all are handled in the end");
    running.stop().await.expect("it stops");
    db.close().await;
}

/// For each order its runs: did it end well, or was it given up on?
fn done(folder: &Path) -> BTreeMap<String, Vec<bool>> {
    let mut done = BTreeMap::<String, Vec<bool>>::new();
    for line in fs::read_to_string(folder.join("seen")).unwrap_or_default().lines() {
        let (order, attempt) = line.split_once(' ').expect("an order and its attempt");
        done.entry(order.to_owned()).or_default().push((order, attempt) != ("late", "1"));
    }
    done
}

/// Not a test by itself: the process that the test below starts.
#[test]
fn process() {
    let Some(folder) = std::env::var_os(ROLE) else { return };
    let scenario = FailScenario::setup();
    Runtime::new().expect("a runtime").block_on(work(Path::new(&folder), SHORT));
    scenario.teardown();
}

/// Runs it with these points set, and says whether it ended at one.
fn ended_at_point(folder: &Path, set: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["records::process", "--exact"]).stdin(Stdio::null());
    let output = command.env(ROLE, folder).env("FAILPOINTS", set).output().expect("this binary runs");
    let ended = output.status.signal() == Some(SIGABRT);
    assert!(ended || output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    ended
}

/// Everything is done or dead; how many runs were more than needed.
async fn check(folder: &Path, what: &str) -> usize {
    let (db, store) = open(folder).await;
    let dead = records(&db, &store).dead_letters(QUEUE, 9).await.expect("they are read");
    let position = records(&db, &store).position(QUEUE).await.expect("it is read");
    db.close().await;
    assert_eq!(dead.len(), 1, "{what}: one is dead");
    assert_eq!(position.map(|position| position.number()), Some(ORDERS.len() as u64), "{what}: nothing is left");
    let done = done(folder);
    assert_eq!(done.len(), ORDERS.len(), "{what}: {done:?}");
    done.values().map(Vec::len).sum::<usize>() - ORDERS.len() - 1
}

/// D1, D2: nothing is lost, and what one transaction noted is not handled again.
#[tokio::test]
async fn d1_a_process_that_ends_at_any_point_of_a_queue_loses_no_event() {
    for point in Point::IN_RECORDS {
        for passed in [0, 3] {
            let what = format!("{} after {passed}", point.name());
            let folder = Folder::new(&format!("{}-{passed}", point.name())).await;
            let set = format!("{}={passed}*off->1*return(abort)", point.name());
            assert!(ended_at_point(&folder.0, &set), "{what}: it was not passed");
            assert!(!ended_at_point(&folder.0, ""), "{what}");
            let again = check(&folder.0, &what).await;
            assert!(again <= ORDERS.len(), "{what}: {again} were handled again");
        }
    }
}

#[tokio::test]
async fn d1_a_failure_at_any_point_of_a_queue_is_mended_by_the_next_attempt() {
    let scenario = FailScenario::setup();
    for point in Point::IN_RECORDS {
        let folder = Folder::new(&format!("{}-error", point.name())).await;
        fail::cfg(point.name(), "1*off->2*return(error)->off").expect("a good action");
        work(&folder.0, LONG).await;
        let again = check(&folder.0, point.name()).await;
        assert_eq!(again, 0, "{}: the reader had the queue all the while", point.name());
        fail::remove(point.name());
    }
    scenario.teardown();
}
