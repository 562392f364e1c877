//! What became of the latest runs.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

/// How many runs are remembered.
const REMEMBERED: usize = 32;

/// A schedule of a running service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The schedule's name.
    pub name: String,
    /// The schedule, as it was written.
    pub schedule: String,
    /// When it comes next, if it does.
    pub next: Option<SystemTime>,
    /// Its latest runs on this replica, oldest first, 32 at most.
    pub runs: Vec<Run>,
    /// How many ticks were left out because runs went on.
    pub skipped: u64,
    /// How many times ticks were missed: nobody ran in time.
    pub missed: u64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// The time it was planned for.
    pub planned: SystemTime,
    /// When it began.
    pub started: SystemTime,
    /// When it ended, if it has.
    pub ended: Option<SystemTime>,
    /// What became of it, once it has ended.
    pub outcome: Option<Outcome>,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The handler answered `Ok`.
    Done,
    /// The handler answered with this error.
    Failed(String),
    /// The handler panicked with this text.
    Panicked(String),
    /// It was not done in its time.
    TimedOut,
    /// The service was forced to stop.
    Cut,
    /// Another replica has its lease.
    LeaseLost,
}

impl Outcome {
    /// Its name, in lower case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Panicked(_) => "panicked",
            Self::TimedOut => "timed-out",
            Self::Cut => "cut",
            Self::LeaseLost => "lease-lost",
        }
    }
}

/// The memory of one schedule. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct History(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    report: Report,
    runs: VecDeque<(u64, Run)>,
    begun: u64,
    /// Why the leases do not answer, while they do not.
    away: Option<String>,
}

impl History {
    pub(super) fn of(name: &str, schedule: String) -> Self {
        let (name, runs) = (name.to_owned(), VecDeque::new());
        let report = Report { name, schedule, next: None, runs: Vec::new(), skipped: 0, missed: 0 };
        Self(Arc::new(Mutex::new(Inner { report, runs, begun: 0, away: None })))
    }

    pub(super) fn report(&self) -> Report {
        let inner = self.inner();
        let runs = inner.runs.iter().map(|(_, run)| run.clone()).collect();
        Report { runs, ..inner.report.clone() }
    }

    pub(super) fn next(&self, next: Option<SystemTime>) {
        self.inner().report.next = next;
    }

    /// The leases answer, or do not for this reason.
    pub(super) fn leases(&self, away: Option<String>) {
        self.inner().away = away;
    }

    pub(super) fn away(&self) -> Option<String> {
        self.inner().away.clone()
    }

    pub(super) fn skipped(&self) {
        self.inner().report.skipped += 1;
    }

    pub(super) fn missed(&self) {
        self.inner().report.missed += 1;
    }

    /// Notes that a run begins; gives its number.
    pub(super) fn begins(&self, planned: SystemTime, started: SystemTime) -> u64 {
        let mut inner = self.inner();
        inner.begun += 1;
        let (number, run) = (inner.begun, Run { planned, started, ended: None, outcome: None });
        inner.runs.push_back((number, run));
        if inner.runs.len() > REMEMBERED {
            inner.runs.pop_front();
        }
        number
    }

    pub(super) fn ended(&self, number: u64, ended: SystemTime, outcome: Outcome) {
        let mut inner = self.inner();
        // It may have been forgotten by now.
        if let Some((_, run)) = inner.runs.iter_mut().find(|(known, _)| *known == number) {
            (run.ended, run.outcome) = (Some(ended), Some(outcome));
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no panic happens while the history is held")
    }
}
