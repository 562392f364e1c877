//! A process that ends at each point of an outbox and of an inbox, and starts again: every effect is there once, and what
//! follows from it was published, and nothing else.

#![cfg(unix)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::Write,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
    sqlite::{Database, Tx},
    transport::{Memory, Outgoing},
};
use tokio::runtime::Runtime;

use crate::contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};

/// Tells the binary to be the process that ends, and where its folder is.
const ROLE: &str = "FAILPOINTS_OUTBOX";
const ORDERS: [&str; 3] = ["o-1", "o-2", "o-3"];
const SIGABRT: i32 = 6;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("tegami-failpoints-{}-{name}", std::process::id())));
        fs::create_dir_all(&folder.0).expect("a folder can be made");
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn write_receipt(order: OrderPaid, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
    let id = order.order_id.clone();
    tx.run(move |sql| sql.execute("INSERT INTO receipts VALUES (?1)", [id])).await?;
    ctx.in_transaction(tx).publish(&ReceiptSent::builder().order_id(order.order_id).build()).await?;
    Ok(())
}

async fn open(folder: &Path) -> Database {
    let db = Database::connect(folder.join("shop.db")).await.expect("the file can be opened");
    let mut tx = db.begin().await.expect("it begins");
    tx.run(|sql| sql.execute_batch("CREATE TABLE IF NOT EXISTS receipts (id TEXT)")).await.expect("it is made");
    tx.commit().await.expect("it is committed");
    db
}

/// Hands each order to a service, as a broker does that delivers what was not acked, and waits until all is published.
async fn work(folder: &Path) -> Result<(), Error> {
    let (db, memory) = (open(folder).await, Memory::new());
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
    let service = service.transactional(&db).on_with::<OrderPaid>(write_receipt, |s| s.retry(soon));
    let short =
        |options: tegami::relay::RelayOptions| options.hold(Duration::from_secs(1)).poll(Duration::from_millis(50));
    let running = service.outbox_with(&db, short).start().await?;
    for order in ORDERS {
        let (paid, id) = (OrderPaid::builder().order_id(order).build(), MessageId::parse(order).expect("a good id"));
        running.publisher().publish_with(&paid, |options| options.id(id)).await.expect("it is published");
        memory.quiet().await;
        while running.unpublished().await.expect("it is read") > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    running.stop().await?;
    db.close().await;
    Ok(())
}

/// The receipts in the table, and for each that was published the ids it had.
fn found(folder: &Path) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let written = Runtime::new().expect("a runtime").block_on(async {
        let db = open(folder).await;
        let mut tx = db.begin().await.expect("it begins");
        let read = tx.run(|sql| {
            let mut statement = sql.prepare("SELECT id FROM receipts ORDER BY id")?;
            statement.query_map((), |row| row.get(0))?.collect()
        });
        read.await.expect("it is read")
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
    let scenario = FailScenario::setup();
    Runtime::new().expect("a runtime").block_on(work(Path::new(&folder))).expect("it ends well, if it ends");
    scenario.teardown();
}

/// Runs it with these points set, and says whether it ended at one.
fn ended_at_point(folder: &Path, set: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["outbox::process", "--exact"]).stdin(Stdio::null());
    let output = command.env(ROLE, folder).env("FAILPOINTS", set).output().expect("this binary runs");
    let ended = output.status.signal() == Some(SIGABRT);
    assert!(ended || output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    ended
}

/// Nothing was published that is not there; with `all`, everything is there once and was published.
fn check(folder: &Path, what: &str, all: bool) {
    let (written, sent) = found(folder);
    let once: BTreeSet<_> = written.iter().cloned().collect();
    assert_eq!(once.len(), written.len(), "{what}: an effect is there twice: {written:?}");
    assert!(sent.keys().all(|order| once.contains(order)), "{what}: {sent:?} was published, {written:?} is there");
    for (order, ids) in &sent {
        assert!(ids.iter().all(|id| *id == ids[0]), "{what}: {order} went out under several ids: {ids:?}");
        assert!(ids.len() <= 2, "{what}: {order} went out {} times", ids.len());
    }
    assert!(!all || (written == ORDERS && sent.len() == ORDERS.len()), "{what}: {written:?}, {sent:?}");
}

fn strikes(point: Point) {
    for passed in [0, 2] {
        let what = format!("{} after {passed}", point.name());
        let folder = Folder::new(&format!("{}-{passed}", point.name()));
        let set = format!("{}={passed}*off->1*return(abort)", point.name());
        assert!(ended_at_point(&folder.0, &set), "{what}: it was not passed");
        check(&folder.0, &what, false);
        assert!(!ended_at_point(&folder.0, ""), "{what}");
        check(&folder.0, &what, true);
        // Everything comes once more, and changes nothing.
        let (_, before) = found(&folder.0);
        assert!(!ended_at_point(&folder.0, ""), "{what}");
        assert_eq!(found(&folder.0).1, before, "{what}");
    }
}

#[test]
fn t1_f27_a_process_that_ends_inside_a_transaction_leaves_nothing_of_it() {
    strikes(Point::OutboxInTransaction);
    strikes(Point::InboxMarked);
    strikes(Point::InboxBeforeCommit);
}

#[test]
fn t2_f27_a_process_that_ends_after_the_commit_publishes_when_it_is_back() {
    strikes(Point::OutboxAfterCommit);
    strikes(Point::OutboxAfterClaim);
}

#[test]
fn t2_f27_a_process_that_ends_after_a_publish_may_publish_again_with_the_same_id() {
    strikes(Point::OutboxAfterPublish);
    strikes(Point::OutboxAfterMark);
}

#[test]
fn t1_i1_a_failure_at_any_point_is_mended_by_the_next_attempt() {
    let scenario = FailScenario::setup();
    for point in Point::IN_OUTBOXES {
        let folder = Folder::new(&format!("{}-error", point.name()));
        fail::cfg(point.name(), "1*off->1*return(error)->off").expect("a good action");
        Runtime::new().expect("a runtime").block_on(work(&folder.0)).expect("it ends well");
        check(&folder.0, point.name(), true);
        fail::remove(point.name());
    }
    scenario.teardown();
}
