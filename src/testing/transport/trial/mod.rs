//! One run of one case: its names, its seed, its connections, its ledger, and the account at the end.

mod publishes;
mod queues;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future;

use super::{
    Case, Done, Fault, Injected, Nest, Pace, Subject, drain, letters,
    life::{LIFE, Life},
    reader::Reader,
    tally::Tally,
};
use crate::{
    testing::ledger::{Answer, Entry, Figure, Ledger, LedgerErrorKind, Rest, Verdict},
    time::{Clock, Dice},
    transport::{Capabilities, Outgoing, QueuePlan, Transport},
};

/// The event that messages without a service are said to be.
const EVENT: &str = "letters.v1.LetterPosted";
/// How soon it is looked at first whether all is settled.
const SETTLED_LOOK: Duration = Duration::from_millis(100);
/// Asks for a tenth of the messages.
const QUICK: &str = "CONFORMANCE_QUICK";

/// One run of one case.
pub struct Trial {
    pub(super) case: &'static Case,
    pub(super) ledger: Ledger,
    pub(super) tally: Arc<Tally>,
    pub(super) clock: Clock,
    pub(super) dice: Dice,
    pub(super) queues: Mutex<Vec<QueuePlan>>,
    /// The time the case runs in.
    pub pace: Pace,
    many: usize,
    /// The name of the test, by which its program runs it again.
    pub(super) test: Option<String>,
    pub(super) seed: u64,
    pub(super) subject: Box<dyn Subject>,
    life: Option<Life>,
    connections: Mutex<Vec<Arc<dyn Transport>>>,
    faults: Mutex<Vec<Fault>>,
    pub(super) folder: Folder,
    published: AtomicU64,
}

impl Trial {
    pub(super) fn begin(case: &'static Case, subject: impl Subject, seed: u64, pace: Pace) -> Self {
        let folder = Folder::make(&format!("tegami-{seed:016x}-{}", case.id));
        let (clock, dice) = (Clock::system(), Dice::seeded(seed));
        Self {
            case,
            ledger: Ledger::open(folder.path(), "suite", clock).expect("the ledger can be written"),
            tally: Arc::default(),
            clock,
            dice,
            queues: Mutex::default(),
            pace,
            // Cases share it out to tasks, keys and rounds.
            many: subject.many().div_ceil(100).max(1).saturating_mul(100),
            test: None,
            seed,
            subject: Box::new(subject),
            life: None,
            connections: Mutex::default(),
            faults: Mutex::default(),
            folder,
            published: AtomicU64::default(),
        }
    }

    /// The same run in a process that is to die: with its names and in its folder, and with chance of its own.
    pub(super) fn of_life(case: &'static Case, subject: impl Subject, life: Life) -> Self {
        let (trial, folder) = (Self::begin(case, subject, life.seed, Pace::Real), Folder::Other(life.folder.clone()));
        let ledger = Ledger::open(folder.path(), LIFE, trial.clock).expect("the ledger can be written");
        let dice = Dice::seeded(life.seed.wrapping_add(life.number as u64));
        Self { ledger, dice, folder, life: Some(life), ..trial }
    }

    /// Which life this is of a process that is to die, from 1; none in the test's own process.
    pub fn life(&self) -> Option<usize> {
        self.life.as_ref().map(|life| life.number)
    }

    /// How many messages are [many](Subject::many), in whole hundreds; 100 where `CONFORMANCE_QUICK` is set.
    pub fn many(&self) -> usize {
        if env::var_os(QUICK).is_some() { 100 } else { self.many }
    }

    /// How long something may take that is promised within this time: a real broker, on a machine that has more
    /// to do, needs some of its own.
    pub fn allow(&self, promised: Duration) -> Duration {
        match self.pace {
            Pace::Virtual => promised,
            Pace::Real => promised + Duration::from_secs(20),
        }
    }

    /// Chance, from the case's seed.
    pub fn chance(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed)
    }

    /// Opens one more connection to the broker.
    ///
    /// # Panics
    /// The broker cannot be reached.
    pub async fn connect(&self) -> Arc<dyn Transport> {
        let connection = match &self.life {
            Some(life) => self.subject.connect_to(&life.address).await,
            None => self.subject.connect().await,
        };
        let connection = connection.expect("the broker can be reached");
        held(&self.connections).push(connection.clone());
        connection
    }

    /// Where the broker is, if other processes can find it.
    pub async fn address(&self) -> Option<String> {
        self.subject.address().await
    }

    /// Puts a fault upon the broker.
    pub async fn inject(&self, fault: Fault) -> Injected {
        let injected = self.subject.inject(fault).await;
        if injected == Injected::Done {
            held(&self.faults).push(fault);
            self.ledger.write(Entry::FaultBegin { name: format!("{fault:?}") });
        }
        injected
    }

    /// Takes a fault away again.
    pub async fn lift(&self, fault: Fault) {
        held(&self.faults).retain(|other| *other != fault);
        self.subject.lift(fault).await;
        self.ledger.write(Entry::FaultEnd { name: format!("{fault:?}") });
    }

    /// Puts a message into a queue past the transport, with something nested beside it, and notes both ends of it.
    pub async fn put_nested(&self, plan: &QueuePlan, message: &Outgoing, nest: Nest) -> Injected {
        let to = vec![plan.name.clone()];
        self.note_publish(&message.id, message.key.clone(), letters::checksum(&message.sealed), to);
        let injected = self.subject.put_nested(&plan.name, message, nest).await;
        let answer = if injected == Injected::Done { Answer::Ok } else { Answer::Rejected };
        self.ledger.publish_end(message.id.as_str(), answer);
        injected
    }

    /// What begins every topic and queue of this run.
    pub fn prefix(&self) -> String {
        format!("t-{:08x}-{}-", self.seed as u32, self.case.id)
    }

    /// Reads a queue without a service.
    ///
    /// # Panics
    /// The queue cannot be read.
    pub async fn reader(&self, on: &dyn Transport, plan: &QueuePlan) -> Reader {
        let deliveries = on.consume(plan).await.expect("the queue can be read");
        Reader::new(deliveries, &plan.name, self.ledger.clone(), self.tally.clone())
    }

    /// Completes what still comes from every queue, where nobody can know how much that is.
    ///
    /// # Panics
    /// A queue cannot be read.
    pub async fn complete_rest(&self) {
        let (connection, queues) = (self.connect().await, self.queues());
        let rests = queues.iter().map(|plan| async {
            self.reader(&*connection, plan).await.complete_rest(self.silence()).await;
        });
        future::join_all(rests).await;
    }

    /// Waits until everything that was taken is completed, in this process or another, or dead; the bound of the case ends
    /// the wait.
    ///
    /// After a fault or the end of a process, neither a count nor silence says so: what was published without an answer
    /// counts as well, and what somebody had who is gone comes when its time is over.
    ///
    /// # Panics
    /// Dead letters cannot be read.
    pub async fn until_settled(&self) {
        let (outside, mut look, mut before) = (self.connect().await, SETTLED_LOOK, None);
        loop {
            let missing = self.rest(&*outside).missing().clone();
            // It costs the broker something to tell of dead letters, so only where nothing goes on.
            let is_still = before.as_ref() == Some(&missing);
            if missing.is_empty() || is_still && self.are_dead(&*outside, &missing).await {
                return;
            }
            before = Some(missing);
            tokio::time::sleep(look).await;
            look = look.mul_f64(1.1);
        }
    }

    async fn are_dead(&self, on: &dyn Transport, missing: &BTreeMap<String, BTreeSet<String>>) -> bool {
        for (queue, ids) in missing {
            let dead = on.dead_letters(queue, usize::MAX).await.expect("dead letters can be read");
            let dead: BTreeSet<_> = dead.iter().filter_map(|letter| letter.id().map(ToString::to_string)).collect();
            if !ids.is_subset(&dead) {
                return false;
            }
        }
        true
    }

    /// How far all has come.
    pub(super) fn rest(&self, on: &dyn Transport) -> Rest {
        let by_time = !on.capabilities().exact_attempts;
        Rest::of(self.folder.path(), by_time).expect("the ledgers are there, and whole")
    }

    /// How long a queue must stay silent to count as empty.
    pub fn silence(&self) -> Duration {
        drain::silence(self.pace)
    }

    /// What has been completed so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What the transport declares.
    pub async fn capabilities(&self) -> Capabilities {
        self.connect().await.capabilities()
    }

    /// Empties every queue through a connection of its own, and holds the ledger against the contract.
    ///
    /// A case that was not kept may have tried nothing, and written nothing.
    pub(super) async fn end(self, done: Option<Done>) -> Result<(), String> {
        // A broken case lifts nothing, and the next one needs the broker too.
        let faults = held(&self.faults).clone();
        for fault in faults {
            self.lift(fault).await;
        }
        let connections = std::mem::take(&mut *held(&self.connections));
        for connection in connections {
            connection.close().await;
        }
        let last = self.connect().await;
        let queues = std::mem::take(&mut *held(&self.queues));
        // All at once: each must be silent for a while.
        future::join_all(queues.iter().map(|plan| drain::drain(&self, &*last, plan))).await;
        last.close().await;
        let exact = last.capabilities().exact_attempts;
        match Verdict::of(self.folder.path()) {
            Err(error) if error.kind() == LedgerErrorKind::Empty && done != Some(Done::Kept) => Ok(()),
            Err(error) => Err(error.to_string()),
            Ok(verdict) if verdict.is_clean_but(excused(exact, &verdict)) => Ok(()),
            Ok(verdict) => Err(format!("the ledger is not clean\n{verdict}")),
        }
    }
}

/// The folder of a run.
pub(super) enum Folder {
    /// It goes with this run.
    Own(PathBuf),
    /// It is the run's of another process.
    Other(PathBuf),
}

impl Folder {
    fn make(name: &str) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        Self::Own(folder)
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Other(path) => path,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Self::Own(path) = self {
            // What cannot be removed is left to the system.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// What cannot be judged. Where attempts are not counted exactly, a message whose hold ran out in a fault comes as the
/// next attempt while the first still goes on, and nobody can tell such a copy from a retry.
fn excused(exact: bool, verdict: &Verdict) -> &'static [Figure] {
    if exact || verdict.recoveries().is_empty() { &[] } else { &[Figure::Early] }
}

pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
