//! A process that ends at each point of a queue of recorded events, and starts again: no event is lost, and one that was
//! given up on is not handled once more.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use tegami::{
    Context, HandlerError, Retry, Service,
    failpoint::{
        Point,
        fail::{self, FailScenario},
    },
    records::{Queues, Records},
    store::{Append, Query, StreamId},
    testing::at_length,
    transport::Transport,
};
use tokio::runtime::Runtime;

use crate::{
    contracts::shop::orders::v1::OrderPaid,
    outbox::{
        Folder, each,
        place::{File, Place, Postgres},
    },
};

/// Tells the binary to be the process that ends, and where its folder and its database are.
const ROLE: &str = "FAILPOINTS_RECORDS";
const ADDRESS: &str = "FAILPOINTS_DATABASE";
const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";
/// What another process held that has ended since is free soon; where none ends, nobody loses it.
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(30);
const SIGABRT: i32 = 6;

/// One after the other; the fourth fails once, and the seventh is given up on.
fn orders() -> Vec<String> {
    let name = |number| match number {
        3 => "late".to_owned(),
        6 => "never".to_owned(),
        _ => format!("o-{number}"),
    };
    (0..at_length(10, 100)).map(name).collect()
}

/// Where it is done.
#[derive(Clone, Copy)]
struct Here<'a> {
    folder: &'a Path,
    address: &'a str,
}

async fn record<P: Place>(address: &str) {
    let db = P::open(address).await;
    let store = P::store(&db);
    for order in orders() {
        let paid = OrderPaid::builder().order_id(order).currency("EUR").amount_minor(1).build();
        let append = Append::to(StreamId::new("orders").expect("a good name")).event(&paid).expect("it is valid");
        store.append(append).await.expect("it is appended");
    }
    P::close(db).await;
}

fn records<P: Place<Db: Queues>>(db: &P::Db) -> Records<P::Db> {
    Records::new(db, &P::store(db)).poll(Duration::from_millis(20)).from_the_first_event()
}

async fn handle(order: OrderPaid, ctx: Context<fs::File>) -> Result<(), HandlerError> {
    let mut file = ctx.state().try_clone()?;
    // Each has a transaction of its own where there have to be many.
    tokio::time::sleep(Duration::from_millis(at_length(0, 5) as u64)).await;
    file.write_all(format!("{} {}\n", order.order_id, ctx.attempt()).as_bytes())?;
    match (&*order.order_id, ctx.attempt()) {
        ("late", 1) => Err(HandlerError::retry("not yet")),
        ("never", _) => Err(HandlerError::reject("it is never good")),
        _ => Ok(()),
    }
}

/// Runs the service until every order is handled, or dead.
async fn work<P: Place<Db: Queues>>(here: Here<'_>, hold: Duration) {
    let (db, folder) = (P::open(here.address).await, here.folder);
    let file = OpenOptions::new().create(true).append(true).open(folder.join("seen")).expect("a file");
    let service = Service::new("billing").transport(records::<P>(&db).hold(hold)).state(file);
    let soon = Retry::after([Duration::from_millis(5); 3]);
    let one_by_one = |s: tegami::Subscription<OrderPaid>| s.retry(soon).concurrency(1);
    let running = service.on_with::<OrderPaid>(handle, one_by_one).start().await.expect("it starts");
    let all_done = async {
        while done(folder).values().filter(|attempts| attempts.iter().any(|done| *done)).count() < orders().len()
            || records::<P>(&db).dead_letters(QUEUE, 9).await.map_or(0, |dead| dead.len()) == 0
            || left::<P>(&db).await > 0
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_done).await.expect("all are handled in the end");
    running.stop().await.expect("it stops");
    P::close(db).await;
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

/// Not a test by itself: the process that the tests below start.
#[test]
fn process() {
    let Some(folder) = std::env::var_os(ROLE) else { return };
    let address = std::env::var(ADDRESS).expect("it was told");
    let here = Here { folder: Path::new(&folder), address: &address };
    let scenario = FailScenario::setup();
    Runtime::new().expect("a runtime").block_on(async {
        match address.starts_with("postgres://") {
            true => work::<Postgres>(here, SHORT).await,
            false => work::<File>(here, SHORT).await,
        }
    });
    scenario.teardown();
}

/// Runs it with these points set, and says whether it ended at one.
fn ended_at_point(here: Here<'_>, set: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["records::process", "--exact"]).stdin(Stdio::null()).env(ROLE, here.folder);
    let output = command.env(ADDRESS, here.address).env("FAILPOINTS", set).output().expect("this binary runs");
    let ended = output.status.signal() == Some(SIGABRT);
    assert!(ended || output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    ended
}

/// How many events are not noted as done.
async fn left<P: Place<Db: Queues>>(db: &P::Db) -> usize {
    let position = records::<P>(db).position(QUEUE).await.expect("it is read").unwrap_or_default();
    P::store(db).inner().read_all(&Query::all(), position, orders().len()).await.expect("it is read").events.len()
}

/// Everything is done or dead; how many runs were more than needed.
async fn check<P: Place<Db: Queues>>(here: Here<'_>, what: &str) -> usize {
    let db = P::open(here.address).await;
    let dead = records::<P>(&db).dead_letters(QUEUE, 9).await.expect("they are read");
    let left = left::<P>(&db).await;
    P::close(db).await;
    assert_eq!(dead.len(), 1, "{what}: one is dead");
    assert_eq!(left, 0, "{what}: nothing is left");
    let done = done(here.folder);
    assert_eq!(done.len(), orders().len(), "{what}: {done:?}");
    done.values().map(Vec::len).sum::<usize>() - orders().len() - 1
}

/// Ends the process at each point, once it was passed so often.
fn strikes<P: Place<Db: Queues>>(passed: &[usize]) {
    let (place, runtime) = (P::new(), Runtime::new().expect("a runtime"));
    for (point, passed) in each(&Point::IN_RECORDS, passed) {
        let what = format!("{} after {passed}", point.name());
        let folder = Folder::new(&format!("records-{}-{passed}", point.name()));
        let address = place.fresh(&folder.0);
        let here = Here { folder: &folder.0, address: &address };
        runtime.block_on(record::<P>(&address));
        let set = format!("{}={passed}*off->1*return(abort)", point.name());
        assert!(ended_at_point(here, &set), "{what}: it was not passed");
        runtime.block_on(P::end_leases(&address));
        assert!(!ended_at_point(here, ""), "{what}");
        let again = runtime.block_on(check::<P>(here, &what));
        assert!(again <= orders().len(), "{what}: {again} were handled again");
    }
}

/// A failure at each point.
fn fails<P: Place<Db: Queues>>() {
    let (scenario, place, runtime) = (FailScenario::setup(), P::new(), Runtime::new().expect("a runtime"));
    for point in Point::IN_RECORDS {
        let folder = Folder::new(&format!("records-{}-error", point.name()));
        let address = place.fresh(&folder.0);
        let here = Here { folder: &folder.0, address: &address };
        runtime.block_on(record::<P>(&address));
        fail::cfg(point.name(), "1*off->2*return(error)->off").expect("a good action");
        runtime.block_on(work::<P>(here, LONG));
        fail::remove(point.name());
        let again = runtime.block_on(check::<P>(here, point.name()));
        assert_eq!(again, 0, "{}: the reader had the queue all the while", point.name());
    }
    scenario.teardown();
}

mod sqlite {
    use super::*;

    /// D1, D2: nothing is lost, and what one transaction noted is not handled again.
    #[test]
    fn d1_a_process_that_ends_at_any_point_of_a_queue_loses_no_event() {
        strikes::<File>(&[0, 3]);
    }

    #[test]
    fn d1_a_failure_at_any_point_of_a_queue_is_mended_by_the_next_attempt() {
        fails::<File>();
    }
}

mod postgres {
    use super::*;

    #[test]
    fn d1_a_process_that_ends_at_any_point_of_a_queue_loses_no_event() {
        strikes::<Postgres>(&[3]);
    }

    #[test]
    fn d1_a_failure_at_any_point_of_a_queue_is_mended_by_the_next_attempt() {
        fails::<Postgres>();
    }
}
