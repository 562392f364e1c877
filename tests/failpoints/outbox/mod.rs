//! A process that ends at each point of an outbox and of an inbox, and starts again: every effect is there once, and what
//! follows from it was published, and nothing else.

#![cfg(unix)]

pub(crate) mod place;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::Write,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tegami::{
    Context, Error, HandlerError, Retry, Service,
    envelope::MessageId,
    failpoint::{
        Point,
        fail::{self, FailScenario},
    },
    middleware::{Next, from_fn},
    testing::at_length,
    transport::{Memory, Outgoing},
};
use tokio::runtime::Runtime;

use self::place::{File, Place, Postgres};
use crate::contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};

/// Tells the binary to be the process that ends, and where its folder and its database are.
const ROLE: &str = "FAILPOINTS_OUTBOX";
const ADDRESS: &str = "FAILPOINTS_DATABASE";
const SIGABRT: i32 = 6;

/// So many that each point is passed as often as it should be.
fn orders() -> Vec<String> {
    (1..=at_length(3, 21)).map(|number| format!("o-{number:02}")).collect()
}

/// How often a point was passed each time that it strikes: these few, or twenty.
pub(crate) fn positions(few: &[usize]) -> Vec<usize> {
    if at_length(0, 1) == 0 { few.to_vec() } else { (0..20).collect() }
}

/// Each of these points with each of those positions, and tells of it.
pub(crate) fn each(points: &[Point], few: &[usize]) -> Vec<(Point, usize)> {
    let (names, positions): (Vec<_>, _) = (points.iter().map(|point| point.name()).collect(), positions(few));
    println!("to be ended {} times at each of {}", positions.len(), names.join(", "));
    points.iter().flat_map(|point| positions.iter().map(|passed| (*point, *passed))).collect()
}

pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let folder = Self(std::env::temp_dir().join(format!("tegami-failpoints-{process}-{count}-{name}")));
        fs::create_dir_all(&folder.0).expect("a folder can be made");
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn write_receipt<P: Place>(order: OrderPaid, ctx: Context, tx: &mut P::Tx) -> Result<(), HandlerError> {
    P::write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
    ctx.in_transaction(tx).publish(&ReceiptSent::builder().order_id(order.order_id).build()).await?;
    Ok(())
}

/// Hands each order to a service, as a broker does that delivers what was not acked, and waits until all is published.
async fn work<P: Place>(folder: &Path, address: &str) -> Result<(), Error> {
    let (db, memory) = (P::open(address).await, Memory::new());
    let sent = OpenOptions::new().create(true).append(true).open(folder.join("sent")).expect("a file");
    let broker = from_fn(move |outgoing: Outgoing, next: Next<Outgoing>| {
        let mut sent = sent.try_clone().expect("the file is open");
        async move {
            if let (true, Some(key)) = (outgoing.event.contains("Receipt"), &outgoing.key) {
                sent.write_all(format!("{key} {}\n", outgoing.id).as_bytes()).expect("it is written");
                return Ok(());
            }
            next.run(outgoing).await
        }
    });
    let service = Service::new("billing").transport(memory.clone()).publish_middleware(broker);
    let soon = Retry::after([Duration::from_millis(5); 10]);
    let service = service.transactional(&db).on_with::<OrderPaid>(write_receipt::<P>, |s| s.retry(soon));
    let short =
        |options: tegami::relay::RelayOptions| options.hold(Duration::from_secs(1)).poll(Duration::from_millis(50));
    let running = service.outbox_with(&db, short).start().await?;
    for order in orders() {
        let (paid, id) = (OrderPaid::builder().order_id(&*order).build(), MessageId::parse(order).expect("a good id"));
        running.publisher().publish_with(&paid, |options| options.id(id)).await.expect("it is published");
        memory.quiet().await;
        while running.unpublished().await.expect("it is read") > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    running.stop().await?;
    P::close(db).await;
    Ok(())
}

/// The receipts in the table, and for each that was published the ids it had.
fn found<P: Place>(folder: &Path, address: &str) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let written = Runtime::new().expect("a runtime").block_on(async {
        let db = P::open(address).await;
        let written = P::written(&db).await;
        P::close(db).await;
        written
    });
    let mut sent = BTreeMap::<String, Vec<String>>::new();
    for line in fs::read_to_string(folder.join("sent")).unwrap_or_default().lines() {
        let (order, id) = line.split_once(' ').expect("an order and an id");
        sent.entry(order.to_owned()).or_default().push(id.to_owned());
    }
    (written, sent)
}

/// Not a test by itself: the process that the test below starts.
#[test]
fn process() {
    let Some(folder) = std::env::var_os(ROLE) else { return };
    let (folder, address) = (Path::new(&folder), std::env::var(ADDRESS).expect("it was told"));
    let scenario = FailScenario::setup();
    let ended = Runtime::new().expect("a runtime").block_on(async {
        match address.starts_with("postgres://") {
            true => work::<Postgres>(folder, &address).await,
            false => work::<File>(folder, &address).await,
        }
    });
    ended.expect("it ends well, if it ends");
    scenario.teardown();
}

/// Runs it with these points set, and says whether it ended at one.
fn ended_at_point(folder: &Path, address: &str, set: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["outbox::process", "--exact"]).stdin(Stdio::null());
    let output =
        command.env(ROLE, folder).env(ADDRESS, address).env("FAILPOINTS", set).output().expect("this binary runs");
    let ended = output.status.signal() == Some(SIGABRT);
    assert!(ended || output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    ended
}

/// Nothing was published that is not there; with `all`, everything is there once and was published.
fn check<P: Place>((folder, address): (&Path, &str), what: &str, all: bool) {
    let (written, sent) = found::<P>(folder, address);
    let once: BTreeSet<_> = written.iter().cloned().collect();
    assert_eq!(once.len(), written.len(), "{what}: an effect is there twice: {written:?}");
    assert!(sent.keys().all(|order| once.contains(order)), "{what}: {sent:?} was published, {written:?} is there");
    for (order, ids) in &sent {
        assert!(ids.iter().all(|id| *id == ids[0]), "{what}: {order} went out under several ids: {ids:?}");
        assert!(ids.len() <= 2, "{what}: {order} went out {} times", ids.len());
    }
    assert!(!all || (written == orders() && sent.len() == written.len()), "{what}: {written:?}, {sent:?}");
}

/// Ends the process at each of these points.
fn strikes<P: Place>(points: &[Point]) {
    let place = P::new();
    for (point, passed) in each(points, &[0, 2]) {
        let what = format!("{} after {passed}", point.name());
        let folder = Folder::new(&format!("{}-{passed}", point.name()));
        let address = place.fresh(&folder.0);
        let here = (&*folder.0, &*address);
        let set = format!("{}={passed}*off->1*return(abort)", point.name());
        assert!(ended_at_point(here.0, here.1, &set), "{what}: it was not passed");
        check::<P>(here, &what, false);
        assert!(!ended_at_point(here.0, here.1, ""), "{what}");
        check::<P>(here, &what, true);
        // Everything comes once more, and changes nothing.
        let (_, before) = found::<P>(here.0, here.1);
        assert!(!ended_at_point(here.0, here.1, ""), "{what}");
        assert_eq!(found::<P>(here.0, here.1).1, before, "{what}");
    }
}

/// A failure at each point.
fn fails<P: Place>() {
    let (scenario, place) = (FailScenario::setup(), P::new());
    for point in Point::IN_OUTBOXES {
        let folder = Folder::new(&format!("{}-error", point.name()));
        let address = place.fresh(&folder.0);
        fail::cfg(point.name(), "1*off->1*return(error)->off").expect("a good action");
        Runtime::new().expect("a runtime").block_on(work::<P>(&folder.0, &address)).expect("it ends well");
        check::<P>((&folder.0, &address), point.name(), true);
        fail::remove(point.name());
    }
    scenario.teardown();
}

const INSIDE: [Point; 3] = [Point::OutboxInTransaction, Point::InboxMarked, Point::InboxBeforeCommit];
const COMMITTED: [Point; 2] = [Point::OutboxAfterCommit, Point::OutboxAfterClaim];
const PUBLISHED: [Point; 2] = [Point::OutboxAfterPublish, Point::OutboxAfterMark];

mod sqlite {
    use super::*;

    #[test]
    fn t1_f27_a_process_that_ends_inside_a_transaction_leaves_nothing_of_it() {
        strikes::<File>(&INSIDE);
    }

    #[test]
    fn t2_f27_a_process_that_ends_after_the_commit_publishes_when_it_is_back() {
        strikes::<File>(&COMMITTED);
    }

    #[test]
    fn t2_f27_a_process_that_ends_after_a_publish_may_publish_again_with_the_same_id() {
        strikes::<File>(&PUBLISHED);
    }

    #[test]
    fn t1_i1_a_failure_at_any_point_is_mended_by_the_next_attempt() {
        fails::<File>();
    }
}

mod postgres {
    use super::*;

    #[test]
    fn t1_f27_a_process_that_ends_inside_a_transaction_leaves_nothing_of_it() {
        strikes::<Postgres>(&INSIDE);
    }

    #[test]
    fn t2_f27_a_process_that_ends_after_the_commit_publishes_when_it_is_back() {
        strikes::<Postgres>(&COMMITTED);
    }

    #[test]
    fn t2_f27_a_process_that_ends_after_a_publish_may_publish_again_with_the_same_id() {
        strikes::<Postgres>(&PUBLISHED);
    }

    #[test]
    fn t1_i1_a_failure_at_any_point_is_mended_by_the_next_attempt() {
        fails::<Postgres>();
    }
}
