//! A relay and a projector in processes of their own, which stand still while another takes over, and then go on (F49). The
//! binary runs again as each of them.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tegami::{
    Service,
    error::BoxError,
    middleware::{Next, from_fn},
    outbox::{Database, Outbox},
    projection::{Checkpoints, Id, Projection},
    store::{Append, Store, Stored, StreamId},
    transport::{Memory, Outgoing},
};
use tokio::runtime::Runtime;

use crate::{
    Folder, OrderPaid, Subject, paid,
    postgres::Postgres,
    receipt,
    sqlite::File,
    subject::{Deed, until},
};

/// Tells the binary to be such a process: on which database, where that is, and where its folder is.
const ROLE: &str = "FROZEN_ROLE";
const ADDRESS: &str = "FROZEN_ADDRESS";
const FOLDER: &str = "FROZEN_FOLDER";
const KEYS: [&str; 3] = ["a", "b", "c"];

/// Not a test by itself: a process that the tests below start.
#[test]
fn process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let [address, folder] = [ADDRESS, FOLDER].map(|name| std::env::var(name).expect("it was told"));
    Runtime::new().expect("a runtime").block_on(async {
        match &*role {
            File::NAME => work_for_ever::<File>(&address, Path::new(&folder)).await,
            _ => work_for_ever::<Postgres>(&address, Path::new(&folder)).await,
        }
    });
}

async fn write<S: Subject>(paid: Stored<OrderPaid>, tx: &mut S::Tx) -> Result<(), BoxError> {
    S::write(tx, &paid.event.order_id).await
}

/// A broker that takes nothing until its file is there; what it takes is in another.
async fn work_for_ever<S: Subject>(address: &str, folder: &Path) {
    let (folder, db) = (folder.to_owned(), S::connect(address).await);
    let broker = from_fn(move |outgoing: Outgoing, _: Next<Outgoing>| {
        let folder = folder.clone();
        async move {
            fs::write(folder.join("asked"), "").expect("it is written");
            while !folder.join("open").exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let mut sent = OpenOptions::new().create(true).append(true).open(folder.join("sent")).expect("a file");
            let key = outgoing.key.expect("it has one");
            sent.write_all(format!("{key} {}\n", outgoing.id).as_bytes()).expect("it is written");
            Ok(())
        }
    });
    let store = Store::new(S::store(&db));
    let service = Service::new("orders").transport(Memory::new()).publish_middleware(broker);
    let soon = Duration::from_millis(20);
    let service = service.outbox_with(&db, |options| options.hold(Duration::from_secs(1)).poll(soon));
    let receipts = Projection::new("receipts", 1).on::<OrderPaid>(write::<S>);
    // It says rarely that it goes on, so that it stands still in no transaction.
    let patient = |options: tegami::projection::ProjectionOptions| options.hold(Duration::from_secs(240)).poll(soon);
    let _running = service.projection_with(&db, &store, receipts, patient).start().await.expect("it starts");
    std::future::pending().await
}

/// Such a process, which is killed when it goes.
struct Process {
    child: Child,
    folder: PathBuf,
}

impl Process {
    fn start<S: Subject>(folder: &Folder, name: &str, address: &str) -> Self {
        let folder = folder.0.join(name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["frozen::process", "--exact"]).stdin(Stdio::null()).stdout(Stdio::null());
        command.env(ROLE, S::NAME).env(ADDRESS, address).env(FOLDER, &folder);
        Self { child: command.spawn().expect("this binary runs"), folder }
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(status.success(), "kill {signal}");
    }

    /// Has its broker take what comes.
    fn open(&self) {
        fs::write(self.folder.join("open"), "").expect("it is written");
    }

    /// The key and the id of everything that its broker took.
    fn sent(&self) -> Vec<(String, String)> {
        let lines = fs::read_to_string(self.folder.join("sent")).unwrap_or_default();
        let pair = |line: &str| line.split_once(' ').map(|(key, id)| (key.to_owned(), id.to_owned()));
        lines.lines().map(|line| pair(line).expect("a key and an id")).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn put<S: Subject>(db: &S::Db, count: usize) {
    let orders = Service::new("orders").transport(Memory::new()).start().await.expect("it starts");
    for number in 0..count {
        let mut tx = db.begin().await.expect("it begins");
        let publisher = orders.publisher().clone();
        publisher.in_transaction(&mut tx).publish(&receipt(KEYS[number % KEYS.len()])).await.expect("it is put");
        db.commit(tx).await.expect("it is committed");
    }
    orders.stop().await.expect("it stops");
}

/// By key, in order.
fn by_key(sent: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::<String, Vec<String>>::new();
    sent.into_iter().for_each(|(key, id)| all.entry(key).or_default().push(id));
    all
}

/// T2, T3: the other sends everything; the first, once it goes on, sends again what it had, in its order, and nothing else.
pub(crate) async fn f49_a_relay_that_stood_still_has_another_send_and_skips_nothing<S: Subject>() {
    let (all, folder) = (S::open().await, Folder::new());
    put::<S>(all.db(), 9).await;
    let frozen = Process::start::<S>(&folder, "frozen", &all.address());
    until(async || frozen.folder.join("asked").exists()).await;
    frozen.signal("-STOP");
    let other = Process::start::<S>(&folder, "other", &all.address());
    other.open();
    until(async || all.db().waiting().await.expect("it is read") == 0).await;
    let sent = by_key(other.sent());
    assert_eq!(sent.values().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3], "{sent:?}");
    drop(other);
    frozen.open();
    frozen.signal("-CONT");
    // It goes on with its work.
    put::<S>(all.db(), 3).await;
    until(async || all.db().waiting().await.expect("it is read") == 0).await;
    let later = by_key(frozen.sent());
    for (key, before) in &sent {
        let (last, again) = later[key].split_last().expect("the last one");
        assert!(before.starts_with(again) && !before.contains(last), "{key}: {before:?}, then {:?}", later[key]);
    }
}

/// E-04: two believe that they have the projection, and each event has its effect once.
pub(crate) async fn e4_f49_a_projector_that_stood_still_doubles_nothing<S: Subject>() {
    let (all, folder) = (S::open().await, Folder::new());
    let store = Store::new(all.events());
    let stream = StreamId::new("orders").expect("a good name");
    let orders: Vec<_> = (1..=9).map(|n| format!("o-{n}")).collect();
    let append = async |from: usize, to: usize| {
        let append = Append::to(stream.clone());
        let append = orders[from..to].iter().fold(append, |append, order| append.event(&paid(order)).expect("valid"));
        store.append(append).await.expect("it is appended");
        until(async || all.written().await.len() >= to).await;
    };
    let frozen = Process::start::<S>(&folder, "frozen", &all.address());
    append(0, 3).await;
    frozen.signal("-STOP");
    all.execute(Deed::EndHolds).await;
    let other = Process::start::<S>(&folder, "other", &all.address());
    append(3, 6).await;
    frozen.signal("-CONT");
    let position = async || all.db().checkpoint(&Id::new("receipts", 1)).await.expect("it is read");
    let held = position().await.expect("it was run").projector;
    append(6, 7).await;
    assert_eq!(position().await.expect("it was run").projector, held, "the other has it");
    drop(other);
    all.execute(Deed::EndHolds).await;
    append(7, 9).await;
    assert_ne!(position().await.expect("it was run").projector, held, "the first has it again");
    assert_eq!(all.written().await, orders);
}
