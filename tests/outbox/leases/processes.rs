//! Replicas in processes of their own, which are killed and frozen. The binary runs again as each of them.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use tegami::{
    HandlerError, Service,
    outbox::Database,
    schedule::{
        LeaseStore, Missed, Overlap, Schedule, Tick,
        lease::{Claim, Known, LeaseError, Taken},
    },
    testing::at_length,
    transport::Memory,
};
use tokio::runtime::Runtime;

use crate::{
    postgres::Postgres,
    sqlite::File,
    subject::{Deed, Subject, until},
};

/// Tells the binary to be a replica: on which database, where that is, and what its runs do.
const ROLE: &str = "LEASES_REPLICA";
const ADDRESS: &str = "LEASES_ADDRESS";
const WORK: &str = "LEASES_WORK";
const REPLICAS: usize = 3;
/// How many runs end between two kills.
const RUNS: usize = 6;

/// How many replicas are killed: upon 48 runs, or upon 1,002.
fn kills() -> usize {
    at_length(8, 167)
}

/// Not a test by itself: a process that the tests below start.
#[test]
fn process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let [address, work] = [ADDRESS, WORK].map(|name| std::env::var(name).expect("it was told"));
    Runtime::new().expect("a runtime").block_on(async {
        match &*role {
            File::NAME => replica_for_ever::<File>(&address, &work).await,
            _ => replica_for_ever::<Postgres>(&address, &work).await,
        }
    });
}

async fn replica_for_ever<S: Subject>(address: &str, work: &str) {
    let (db, hangs) = (S::connect(address).await, work == "hang");
    let run = move |tick: Tick<S::Db>| async move {
        let planned = tick.planned().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
        note::<S>(tick.state(), &format!("begun {planned}")).await?;
        if hangs {
            tick.cancelled().await;
            note::<S>(tick.state(), &format!("told {planned}")).await?;
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        note::<S>(tick.state(), &format!("done {planned}")).await
    };
    let named = Named { inner: db.clone(), holder: format!("process {}", std::process::id()) };
    let schedule = Schedule::every(Duration::from_millis(100));
    let service = Service::new("billing").state(db).transport(Memory::new()).leases(&named);
    let service =
        service.schedule_with(schedule, run, |s| s.name("report").missed(Missed::All).overlap(Overlap::Queue));
    let _running = service.start().await.expect("it starts");
    std::future::pending().await
}

/// Notes it for good.
async fn note<S: Subject>(db: &S::Db, what: &str) -> Result<(), HandlerError> {
    let mut tx = Database::begin(db).await?;
    S::write(&mut tx, what).await.map_err(HandlerError::retry)?;
    Ok(db.commit(tx).await?)
}

/// Leases whose holder is known from outside.
#[derive(Clone)]
struct Named<T> {
    inner: T,
    holder: String,
}

impl<T> Named<T> {
    fn named(&self, claim: &Claim) -> Claim {
        let mut claim = claim.clone();
        claim.holder.clone_from(&self.holder);
        claim
    }
}

#[async_trait]
impl<T: LeaseStore> LeaseStore for Named<T> {
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError> {
        self.inner.take(&self.named(claim)).await
    }

    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError> {
        self.inner.renew(&self.named(claim)).await
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError> {
        self.inner.finish(&self.named(claim)).await
    }

    async fn register(&self, schedule: &str, now: SystemTime) -> Result<Known, LeaseError> {
        self.inner.register(schedule, now).await
    }
}

/// A replica that is killed when it goes.
struct Replica(Child);

impl Replica {
    fn start<S: Subject>(address: &str, work: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["leases::processes::process", "--exact"]).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.env(ROLE, S::NAME).env(ADDRESS, address).env(WORK, work).spawn().expect("this binary runs"))
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.0.id().to_string()]).status().expect("kill runs");
        assert!(status.success(), "kill {signal}");
    }

    /// Has its leases end, as if 30 s had passed.
    async fn loses_leases(&self, all: &impl Subject) {
        all.execute(Deed::EndLeases { of: self.0.id() }).await;
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How often each tick was begun, done, and told to end.
async fn ledger(all: &impl Subject) -> BTreeMap<u64, [u32; 3]> {
    let mut ledger = BTreeMap::<u64, [u32; 3]>::new();
    for line in all.written().await {
        let (what, tick) = line.split_once(' ').expect("two words");
        let counts = ledger.entry(tick.parse().expect("a number")).or_default();
        counts[["begun", "done", "told"].iter().position(|word| *word == what).expect("one of them")] += 1;
    }
    ledger
}

async fn done(all: &impl Subject) -> usize {
    ledger(all).await.values().filter(|counts| counts[1] > 0).count()
}

/// Whoever is killed with `kill -9` in whatever midst, no tick is left out, and none is run again but what was being run.
pub(crate) async fn j1_every_tick_is_run_once_by_three_replicas_and_again_only_after_a_kill<S: Subject>() {
    let all = <S as Subject>::open().await;
    let address = all.address();
    let mut replicas: Vec<_> = (0..REPLICAS).map(|_| Replica::start::<S>(&address, "work")).collect();
    for kill in 0..kills() {
        let so_far = done(&all).await;
        until(async || done(&all).await >= so_far + RUNS).await;
        let mut killed = std::mem::replace(&mut replicas[kill % REPLICAS], Replica::start::<S>(&address, "work"));
        killed.0.kill().expect("it is there");
        killed.0.wait().expect("it ends");
        killed.loses_leases(&all).await;
    }
    let last = *ledger(&all).await.last_key_value().expect("there are some").0;
    // Whoever knows of a tick of one that was killed looks after it when its lease would have ended; who starts, at once.
    replicas.push(Replica::start::<S>(&address, "work"));
    let up_to = async || ledger(&all).await.into_iter().filter(|(tick, _)| *tick <= last).collect::<Vec<_>>();
    until(async || up_to().await.iter().all(|(_, counts)| counts[1] > 0)).await;
    let ticks = up_to().await;
    drop(replicas);
    assert!(ticks.windows(2).all(|pair| pair[1].0 == pair[0].0 + 100), "{ticks:?}");
    // One that was killed may have been about to note the end.
    let again: Vec<_> = ticks.iter().filter(|(_, counts)| *counts != [1, 1, 0]).collect();
    assert!(again.iter().all(|(_, [begun, done, _])| *begun == 2 && (1..=2).contains(done)), "{again:?}");
    assert!(again.len() <= kills(), "{again:?}");
    println!(
        "{}: {} ticks on {REPLICAS} replicas, {} killed: each run, {} again",
        S::NAME,
        ticks.len(),
        kills(),
        again.len()
    );
}

/// F51: a replica stands still for as long as its lease holds; another one runs the tick, and the first is told.
pub(crate) async fn j1_f51_a_replica_that_was_frozen_is_told_that_its_lease_is_lost<S: Subject>() {
    let all = <S as Subject>::open().await;
    let address = all.address();
    let frozen = Replica::start::<S>(&address, "hang");
    until(async || !all.written().await.is_empty()).await;
    frozen.signal("-STOP");
    let tick = *ledger(&all).await.first_key_value().expect("it was begun").0;
    frozen.loses_leases(&all).await;
    let _other = Replica::start::<S>(&address, "work");
    until(async || ledger(&all).await[&tick] == [2, 1, 0]).await;
    frozen.signal("-CONT");
    until(async || ledger(&all).await[&tick] == [2, 1, 1]).await;
}
