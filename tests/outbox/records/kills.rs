//! Replicas in processes of their own, which are killed while they handle events. The binary runs again as each of them.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tegami::{
    Context, HandlerError, Service,
    records::Records,
    store::{Append, Store, StreamId},
};
use tokio::runtime::Runtime;

use crate::{Folder, OrderPaid, Subject, paid, postgres::Postgres, sqlite::File, subject::until};

const ROLE: &str = "RECORDS_REPLICA";
const ADDRESS: &str = "RECORDS_ADDRESS";
const FOLDER: &str = "RECORDS_FOLDER";
const EVENTS: usize = 400;
const REPLICAS: usize = 2;

/// Not a test by itself: a process that the test below starts.
#[test]
fn process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let [folder, address] = [FOLDER, ADDRESS].map(|name| std::env::var(name).expect("it was told"));
    Runtime::new().expect("a runtime").block_on(async {
        match &*role {
            File::NAME => serve::<File>(Path::new(&folder), &address).await,
            _ => serve::<Postgres>(Path::new(&folder), &address).await,
        }
    });
}

async fn note(order: OrderPaid, ctx: Context<fs::File>) -> Result<(), HandlerError> {
    tokio::time::sleep(Duration::from_millis(2)).await;
    let mut file = ctx.state().try_clone()?;
    Ok(file.write_all(format!("{}\n", order.order_id).as_bytes())?)
}

async fn write<S: Subject>(order: OrderPaid, _: Context<fs::File>, tx: &mut S::Tx) -> Result<(), HandlerError> {
    S::write(tx, &order.order_id).await.map_err(HandlerError::retry)
}

/// One handler that notes in a file, and one with a transaction.
async fn serve<S: Subject>(folder: &Path, address: &str) {
    let (db, file) =
        (S::connect(address).await, OpenOptions::new().create(true).append(true).open(folder.join("seen")));
    let store = Store::new(S::store(&db));
    let records = Records::new(&db, &store).hold(Duration::from_secs(1)).poll(Duration::from_millis(20));
    let service = Service::new("billing").transport(records.from_the_first_event()).state(file.expect("a file"));
    let service = service.on::<OrderPaid>(note).transactional(&db);
    let _running = service.on_with::<OrderPaid>(write::<S>, |s| s.group("books")).start().await.expect("it starts");
    std::future::pending().await
}

/// A replica that is killed when it goes.
struct Replica(Child);

impl Replica {
    fn start<S: Subject>(folder: &Folder, address: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["records::kills::process", "--exact"]).stdin(Stdio::null()).stdout(Stdio::null());
        let command = command.env(ROLE, S::NAME).env(ADDRESS, address).env(FOLDER, &*folder.0);
        Self(command.spawn().expect("this binary runs"))
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How often each order was noted.
fn seen(folder: &Folder) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(folder.0.join("seen")).unwrap_or_default();
    text.lines().fold(BTreeMap::new(), |mut seen, order| {
        *seen.entry(order.to_owned()).or_default() += 1;
        seen
    })
}

/// D1, D3, I1: replicas that are killed lose nothing; what they had noted is not handled again.
pub(crate) async fn d1_i1_replicas_that_are_killed_lose_nothing_and_have_effects_once<S: Subject>() {
    let (all, folder) = (S::open().await, Folder::new());
    let (store, address) = (Store::new(all.events()), all.address());
    let mut replicas: Vec<_> = (0..REPLICAS).map(|_| Replica::start::<S>(&folder, &address)).collect();
    let orders: Vec<String> = (0..EVENTS).map(|number| format!("o-{number:03}")).collect();
    for (number, order) in orders.iter().enumerate() {
        let append =
            Append::to(StreamId::new("orders").expect("a good name")).event(&paid(order)).expect("it is valid");
        store.append(append).await.expect("it is appended");
        if number % 100 == 99 {
            // Most of it is handled, and some of it is in work.
            until(async || seen(&folder).len() >= number - 50).await;
            let one = number / 100 % REPLICAS;
            replicas[one] = Replica::start::<S>(&folder, &address);
        }
    }
    until(async || seen(&folder).len() == EVENTS).await;
    until(async || all.written().await.len() >= EVENTS).await;
    drop(replicas);
    let mut written = all.written().await;
    written.sort();
    assert_eq!(written, orders, "an effect in a transaction is there once");
    let again: usize = seen(&folder).values().map(|count| count - 1).sum();
    assert!(again <= 4 * 110, "{again} were handled again, more than four kills can have undone");
}
