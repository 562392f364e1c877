//! The processes of a phase: they are killed, frozen and asked to stop, and started again.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep},
};

use crate::{
    asked::Whose,
    worker::{DRAIN, GIVEN, Given, Role},
};

/// Who there is.
pub const CREW: [(&str, Role); 3] =
    [("publisher", Role::Publisher), ("consumer-1", Role::Consumer), ("consumer-2", Role::Consumer)];
/// The publisher's place among them.
pub const PUBLISHER: usize = 0;
/// How long a stop may take (S1).
pub const BOUND: Duration = Duration::from_secs(DRAIN.as_secs() + 10);
/// How long a process may take to come to a crash point. Some are passed only with what is given up on.
const REACHES: Duration = Duration::from_secs(180);
/// The signal of `abort`.
const ABORTED: i32 = 6;
/// How often it is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(5);
/// How much of a log is shown.
const SHOWN: usize = 3_000;

/// All processes of a phase; they end with this.
pub struct Crew(Vec<Mutex<Worker>>);

/// A process, and what is told to it each time it is started.
struct Worker {
    given: Given,
    log: PathBuf,
    child: Child,
    /// It has ended because it was to.
    is_away: bool,
    /// How often it ended by itself, and was started again.
    ended: usize,
}

/// How a process ended that was asked to.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    /// How long it took.
    pub took: Duration,
    /// Not all handlers had ended.
    pub is_forced: bool,
}

impl Stop {
    /// Did it keep its bound?
    pub fn is_kept(&self) -> bool {
        self.took <= BOUND
    }
}

impl Crew {
    /// Starts all of them.
    pub fn start(all: Vec<Given>) -> Self {
        Self(all.into_iter().map(|given| Mutex::new(Worker::start(given))).collect())
    }

    async fn of(&self, place: usize) -> MutexGuard<'_, Worker> {
        self.0[place].lock().await
    }

    /// Ends it as a power cut would.
    pub async fn kill(&self, place: usize) -> Result<(), String> {
        let mut worker = self.of(place).await;
        worker.must_live()?;
        worker.is_away = true;
        worker.signal("-KILL");
        let ended = worker.ended(BOUND).await.ok_or("it is still there")?;
        if ended.signal() == Some(9) { Ok(()) } else { Err(format!("it ended with {ended}")) }
    }

    /// Has it end by itself at a crash point, once it has passed that so often; waits until it has.
    pub async fn crash(&self, place: usize, point: &str, passes: u64) -> Result<(), String> {
        let mut worker = self.of(place).await;
        worker.must_live()?;
        worker.is_away = true;
        worker.tell(&format!("{point} {passes}"));
        let ended = worker.ended(REACHES).await;
        let ended = ended.ok_or_else(|| format!("{} does not come to {point} in {REACHES:?}", worker.given.name))?;
        match ended.signal() {
            Some(ABORTED) => Ok(()),
            _ => Err(format!("{} was to end at {point}, and ended with {ended}\n{}", worker.given.name, worker.told())),
        }
    }

    /// Starts it again.
    pub async fn again(&self, place: usize) {
        self.of(place).await.restart();
    }

    /// Lets it stand still, or go on.
    pub async fn freeze(&self, place: usize, is_frozen: bool) -> Result<(), String> {
        let mut worker = self.of(place).await;
        worker.must_live()?;
        worker.signal(if is_frozen { "-STOP" } else { "-CONT" });
        let pid = worker.child.id();
        drop(worker);
        let began = Instant::now();
        while is_stopped(pid) != is_frozen {
            if began.elapsed() > Duration::from_secs(10) {
                return Err(format!("process {pid} does not do as it is told"));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(&self, place: usize) -> Result<Stop, String> {
        let mut worker = self.of(place).await;
        worker.must_live()?;
        let began = Instant::now();
        worker.is_away = true;
        worker.signal("-TERM");
        // Longer than it may take, to see how long it does.
        let ended = worker.ended(2 * BOUND).await.ok_or_else(|| format!("it has not stopped after {:?}", 2 * BOUND))?;
        let stop = Stop { took: began.elapsed(), is_forced: ended.code() == Some(FORCED) };
        match ended.code() {
            Some(0 | FORCED) => Ok(stop),
            _ if worker.given.whose == Whose::Tomodachi => Ok(stop),
            _ => Err(format!("it stopped with {ended}\n{}", worker.told())),
        }
    }

    /// How often one of them ended by itself, and was started again.
    pub async fn ended(&self) -> usize {
        let mut ended = 0;
        for place in 0..self.0.len() {
            ended += self.of(place).await.ended;
        }
        ended
    }

    /// Has one of them ended by itself? tomodachi's are started again then.
    pub async fn watch(&self) -> Result<(), String> {
        for worker in &self.0 {
            // One that is held is about to end for a reason.
            if let Ok(mut worker) = worker.try_lock() {
                worker.must_live()?;
            }
        }
        Ok(())
    }

    /// Tells the publisher how many messages a second it is to publish.
    pub async fn rate(&self, rate: u32) {
        let mut publisher = self.of(PUBLISHER).await;
        publisher.given.rate = rate;
        publisher.tell(&rate.to_string());
    }
}

/// What a process ends with that was not drained.
const FORCED: i32 = 70;

impl Worker {
    fn start(given: Given) -> Self {
        let log = given.folder.join(format!("{}.log", given.name));
        let child = spawn(&given, &log);
        Self { given, log, child, is_away: false, ended: 0 }
    }

    fn restart(&mut self) {
        self.given.life += 1;
        self.is_away = false;
        self.child = spawn(&self.given, &self.log);
    }

    /// Tells it a line.
    fn tell(&mut self, line: &str) {
        let told = writeln!(self.child.stdin.as_mut().expect("it is piped"), "{line}");
        told.unwrap_or_else(|error| panic!("{} lives: {error}", self.given.name));
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("there is `kill`").success(), "{} is there", self.given.name);
    }

    /// Waits until it has ended, but not for ever.
    async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        loop {
            match self.child.try_wait().expect("it is ours") {
                None if began.elapsed() < within => sleep(LOOK).await,
                ended => return ended,
            }
        }
    }

    fn must_live(&mut self) -> Result<(), String> {
        match self.child.try_wait().expect("it is ours") {
            // As a supervisor would.
            Some(_) if !self.is_away && self.given.whose == Whose::Tomodachi => {
                self.ended += 1;
                self.restart();
                Ok(())
            }
            Some(ended) if !self.is_away => {
                Err(format!("{} ended by itself with {ended}\n{}", self.given.name, self.told()))
            }
            _ => Ok(()),
        }
    }

    /// The end of its log.
    fn told(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(SHOWN)..]).into_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended needs none of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts this binary again, or tomodachi; its stdin is open for as long as we are there.
fn spawn(given: &Given, log: &PathBuf) -> Child {
    let log = File::options().append(true).create(true).open(log).expect("the folder is ours");
    let mut command = match given.whose {
        Whose::Tomodachi => tomodachi(),
        _ => Command::new(std::env::current_exe().expect("a test is a program")),
    };
    if given.whose != Whose::Tomodachi {
        command.args(["work", "--exact", "--ignored", "--nocapture"]);
    }
    command.env(GIVEN, serde_json::to_string(given).expect("it is plain data")).env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::piped()).stdout(log.try_clone().expect("a file")).stderr(log);
    command.spawn().expect("it can be started")
}

/// tomodachi's own command, in the environment that `scripts/wire-peers` makes.
fn tomodachi() -> Command {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let venv = std::env::var_os("WIRE_PYTHON").map_or_else(|| root.join("target/tomodachi"), PathBuf::from);
    let mut command = Command::new(venv.join("bin/tomodachi"));
    command.args(["run", "--production", "--log-level", "warning", "tomodachi_peer.py"]);
    // tomodachi looks for services from where it is started.
    command.current_dir(root.join("tests/chaos")).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Does this process stand still?
fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the process may have spaces in it; it ends at the last bracket. See proc_pid_stat(5).
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}
