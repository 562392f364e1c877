//! Relays in processes of their own, which are killed while they publish. The binary runs again as each of them.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tegami::{
    Service,
    envelope::MessageId,
    middleware::{Next, from_fn},
    outbox::{Database, Outbox},
    testing::{
        at_length,
        ledger::{Answer, Checksum, Ended, Entry, Ledger, Verdict},
    },
    time::Clock,
    transport::{Memory, Outgoing},
};
use tokio::runtime::Runtime;

use crate::{Folder, Subject, postgres::Postgres, receipt, sqlite::File};

/// Tells the binary to be a relay: on which database, where that is, and where the folder for the ledger is.
const ROLE: &str = "OUTBOX_RELAY";
const ADDRESS: &str = "OUTBOX_ADDRESS";
const FOLDER: &str = "OUTBOX_FOLDER";
const BROKER: &str = "broker";
const RELAYS: usize = 3;
const ROWS: usize = 4;
const KEYS: usize = 20;
/// How much later some of them are to go out.
const LATE: Duration = Duration::from_millis(700);
/// How long a relay has rows for itself: one that stands still for longer has others send them as well.
const HOLD: Duration = Duration::from_secs(10);

/// How many transactions there are; one in ten is undone, which leaves 1,080 rows, or 10,008.
fn transactions() -> usize {
    at_length(300, 2_780)
}

fn books(folder: &Path) -> PathBuf {
    folder.join("ledger")
}

/// Not a test by itself: a process that the test below starts.
#[test]
fn process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let [folder, address] = [FOLDER, ADDRESS].map(|name| std::env::var(name).expect("it was told"));
    let folder = Path::new(&folder);
    Runtime::new().expect("a runtime").block_on(async {
        match &*role {
            File::NAME => relay_for_ever::<File>(folder, &address).await,
            _ => relay_for_ever::<Postgres>(folder, &address).await,
        }
    });
}

/// Publishes into the ledger, which is this broker's memory.
async fn relay_for_ever<S: Subject>(folder: &Path, address: &str) {
    let ledger = Ledger::open(books(folder), "relay", Clock::system()).expect("a ledger");
    let broker = from_fn(move |outgoing: Outgoing, _: Next<Outgoing>| {
        let (ledger, id, key) = (ledger.clone(), outgoing.id.to_string(), outgoing.key.clone());
        async move {
            let (subscription, attempt, checksum) = (BROKER.to_owned(), 1, Checksum::of(&Default::default()));
            ledger.write(Entry::RunBegin {
                id: id.clone(),
                subscription: subscription.clone(),
                attempt,
                key,
                checksum,
            });
            tokio::time::sleep(Duration::from_millis(1)).await;
            ledger.write(Entry::RunEnd { id, subscription, attempt, ended: Ended::Ok, retry_after: None });
            Ok(())
        }
    });
    let db = S::connect(address).await;
    let service = Service::new("orders").transport(Memory::new()).publish_middleware(broker);
    let short = |options: tegami::relay::RelayOptions| options.hold(HOLD).poll(Duration::from_millis(20)).batch(20);
    let _running = service.outbox_with(&db, short).start().await.expect("it starts");
    std::future::pending().await
}

/// A relay that is killed when it goes.
struct Relay(Child);

impl Relay {
    fn start<S: Subject>(folder: &Folder, address: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["kills::process", "--exact"]).stdin(Stdio::null()).stdout(Stdio::null());
        Self(
            command.env(ROLE, S::NAME).env(ADDRESS, address).env(FOLDER, &*folder.0).spawn().expect("this binary runs"),
        )
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Commits messages of many keys; every tenth transaction is not committed.
async fn commit_all<S: Subject>(db: &S::Db, ledger: &Ledger, mut each: impl FnMut(usize)) {
    let orders = Service::new("orders").transport(Memory::new()).start().await.expect("it starts");
    for number in 0..transactions() {
        let commits = number % 10 != 9;
        let mut tx = db.begin().await.expect("it begins");
        let mut ids = Vec::new();
        for row in 0..ROWS {
            let sequence = number * ROWS + row;
            // What is delayed is in no order.
            let late = sequence.is_multiple_of(11);
            let key = if late { format!("late-{sequence}") } else { format!("k-{}", sequence % KEYS) };
            let (id, delay) = (format!("m-{sequence}"), if late { LATE } else { Duration::ZERO });
            ledger.write(Entry::Intent { id: id.clone() });
            if commits {
                let (checksum, to, key) =
                    (Checksum::of(&Default::default()), vec![BROKER.to_owned()], Some(key.clone()));
                ledger.write(Entry::PublishBegin { id: id.clone(), key, sequence: sequence as u64, checksum, to });
            }
            S::write(&mut tx, &id).await.expect("it is written");
            let with_id = MessageId::parse(&id).expect("a good id");
            let mut publisher = orders.publisher().in_transaction(&mut tx);
            publisher.publish_with(&receipt(key), |options| options.id(with_id).delay(delay)).await.expect("it is put");
            ids.push(id);
        }
        if commits {
            db.commit(tx).await.expect("it is committed");
            ids.into_iter().for_each(|id| ledger.publish_end(id, Answer::Ok));
        }
        each(number);
    }
    orders.stop().await.expect("it stops");
}

pub(crate) async fn t1_t2_t3_three_relays_that_are_killed_lose_nothing_and_keep_every_key_in_order<S: Subject>() {
    let (all, folder) = (S::open().await, Folder::new());
    let (db, address) = (all.db(), all.address());
    let ledger = Ledger::open(books(&folder.0), "orders", Clock::system()).expect("a ledger");
    ledger.write(Entry::Ordered { subscription: BROKER.to_owned() });
    let mut relays: Vec<_> = (0..RELAYS).map(|_| Relay::start::<S>(&folder, &address)).collect();
    let mut killed = 0;
    commit_all::<S>(db, &ledger, |number| {
        if number % 60 == 30 {
            relays[killed % RELAYS] = Relay::start::<S>(&folder, &address);
            killed += 1;
        }
    })
    .await;
    let all_sent = async {
        while db.waiting().await.expect("it is read") > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(at_length(120, 900) as u64), all_sent)
        .await
        .expect("they are sent in the end");
    drop(relays);
    assert_eq!(killed, (transactions() + 29) / 60);
    let states = all.written().await;
    assert_eq!(states.len(), transactions() / 10 * 9 * ROWS);
    let (rows, name) = (states.len(), S::NAME);
    states.into_iter().for_each(|id| ledger.write(Entry::State { id }));
    assert!(all.parked().await.is_empty());
    let verdict = Verdict::of(books(&folder.0)).expect("it can be read");
    assert!(verdict.is_clean(), "{verdict}");
    println!("{name}: {rows} rows by {RELAYS} relays, {killed} killed: lost 0, out of order 0");
}
