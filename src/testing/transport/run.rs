//! Runs one case: a runtime of its own, a bound on the whole, a look for what is left, a line for the table.

use std::{
    any::Any,
    env, fmt, fs,
    io::Write,
    panic::AssertUnwindSafe,
    process,
    sync::{
        Mutex, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tokio::runtime::{Builder, Handle, Runtime};

use super::{Case, Done, Pace, Subject, Trial, life::Life};
use crate::error::panic_text;

/// How long a case may take, by real time and by paused time.
const BOUND: [Duration; 2] = [Duration::from_secs(180), Duration::from_secs(2 * 60 * 60)];
/// How long the account at its end may take.
const ACCOUNT: [Duration; 2] = [Duration::from_secs(180), Duration::from_secs(24 * 60 * 60)];
/// How long a case may take by real time, whatever its own time says: it may be busy, and time stand still.
const BUSY: Duration = Duration::from_secs(300);
/// How long tasks have to end after a case.
const AFTERWARDS: Duration = Duration::from_secs(5);
/// Replays a run: the seed it printed.
const SEED: &str = "CONFORMANCE_SEED";
/// Where each case appends its line of the table.
const TABLE: &str = "CONFORMANCE_TABLE";

/// Cases of one process run one after the other, so that what one leaves behind is seen.
static ALONE: Mutex<()> = Mutex::new(());

/// How a case went.
#[derive(Debug)]
pub struct Report {
    /// The case.
    pub case: &'static Case,
    /// What chance was drawn from.
    pub seed: u64,
    /// How long it took.
    pub took: Duration,
    /// How it ended; if a promise was broken, which and how.
    pub result: Result<Done, String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (case, seed, took) = (format!("{:?}", self.case), self.seed, self.took);
        let result = match &self.result {
            Ok(done) => done.to_string(),
            Err(broken) => format!("BROKEN: {}", broken.lines().next().unwrap_or_default()),
        };
        write!(f, "{case:<32} {seed:>20} {:>7.2} s  {result}", took.as_secs_f64())
    }
}

/// Runs a case as a test of this module, whose name stands in the table; in a process of its own that is to die, if it
/// was started for that.
///
/// # Panics
/// The promise is broken; the text says how, and how to replay it.
pub fn check<S: Subject>(module: &str, case: &'static Case, subject: impl Fn() -> S) {
    if let Some(life) = Life::given() {
        return live(case, subject(), life);
    }
    let (_, path) = module.split_once("::").unwrap_or_default();
    let name = path.rsplit("::").next().unwrap_or_default();
    let test = [path, case.name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::");
    let seed = env::var(SEED).ok().map(|seed| seed.parse().expect("CONFORMANCE_SEED is a number"));
    let report = run(case, subject, seed.unwrap_or_else(|| fastrand::u64(..)), Some(test));
    let line = format!("{name:<16} {report}\n");
    print!("{line}");
    if let Some(table) = env::var_os(TABLE) {
        let file = fs::OpenOptions::new().append(true).create(true).open(table);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the table can be written");
    }
    if let Err(broken) = report.result {
        panic!("{case:?} is broken: {broken}\nreplay it with {SEED}={}", report.seed);
    }
}

/// Runs a case and says how it went. Of processes that are to die, it knows none.
pub fn judge<S: Subject>(case: &'static Case, subject: impl Fn() -> S, seed: u64) -> Report {
    run(case, subject, seed, None)
}

fn run<S: Subject>(case: &'static Case, subject: impl Fn() -> S, seed: u64, test: Option<String>) -> Report {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let began = Instant::now();
    let pace = case.pace.unwrap_or_else(|| subject().pace());
    drop(runtime(pace)); // What a first runtime leaves behind for the next ones is nobody's leak.
    let descriptors = descriptors();
    let watchdog = Watchdog::start(case, seed);
    let runtime = runtime(pace);
    let result = runtime.block_on(async {
        let mut trial = Trial::begin(case, subject(), seed, pace);
        trial.test = test;
        bounded(case, trial).await
    });
    drop(runtime);
    drop(watchdog);
    let result = result.and_then(|done| no_descriptor_is_left(descriptors).map(|()| done));
    Report { case, seed, took: began.elapsed(), result }
}

/// Ends the process if a case keeps its thread so busy that no timeout can come; it must be dropped before.
struct Watchdog {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    fn start(case: &'static Case, seed: u64) -> Self {
        let (end, ended) = channel();
        let watch = move || {
            if ended.recv_timeout(BUSY) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{case:?} is not done after {BUSY:?}, and busy; replay it with {SEED}={seed}");
                process::abort();
            }
        };
        Self { end: Some(end), thread: Some(thread::spawn(watch)) }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Runs a case as a process that is to die.
fn live<S: Subject>(case: &'static Case, subject: S, life: Life) {
    let _watchdog = Watchdog::start(case, life.seed);
    let ended = runtime(Pace::Real).block_on(async {
        let trial = Trial::of_life(case, subject, life);
        within(BOUND[0], (case.run)(&trial)).await
    });
    ended.unwrap_or_else(|broken| panic!("{broken}"));
}

async fn bounded(case: &'static Case, trial: Trial) -> Result<Done, String> {
    let place = usize::from(trial.pace == Pace::Virtual);
    let done = within(BOUND[place], (case.run)(&trial)).await;
    // The account is made of a broken run too: it says what became of the messages.
    let account = within(ACCOUNT[place], trial.end(done.as_ref().ok().copied())).await.and_then(|account| account);
    let done = match (done, account) {
        (Ok(done), Ok(())) => done,
        (Ok(_), Err(account)) => return Err(account),
        (Err(broken), Ok(())) => return Err(broken),
        (Err(broken), Err(account)) => return Err(format!("{broken}; {account}")),
    };
    no_task_is_left().await.map(|()| done)
}

/// Waits for it as long as the bound allows; a panic in it is an error.
async fn within<T>(bound: Duration, work: impl Future<Output = T>) -> Result<T, String> {
    match tokio::time::timeout(bound, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(panic)) => Err(text(&*panic)),
        Err(_) => Err(format!("not done after {bound:?}")),
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    panic_text(panic).trim_start_matches("panicked: ").to_owned()
}

fn runtime(pace: Pace) -> Runtime {
    let built = match pace {
        Pace::Virtual => Builder::new_current_thread().enable_all().start_paused(true).build(),
        Pace::Real => Builder::new_multi_thread().worker_threads(2).enable_all().build(),
    };
    built.expect("a runtime can be built")
}

async fn no_task_is_left() -> Result<(), String> {
    let alive = || Handle::current().metrics().num_alive_tasks();
    let ended = tokio::time::timeout(AFTERWARDS, async {
        while alive() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    ended.await.map_err(|_| format!("{} tasks are left running", alive()))
}

/// Others in this process may hold some for a while, too.
fn no_descriptor_is_left(before: usize) -> Result<(), String> {
    let ends = Instant::now() + AFTERWARDS;
    loop {
        match descriptors() {
            now if now <= before => return Ok(()),
            now if Instant::now() > ends => return Err(format!("{} descriptors are left open", now - before)),
            _ => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// How many files and sockets this process has open, where the system tells.
pub(super) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map(|open| open.count()).unwrap_or_default()
}
