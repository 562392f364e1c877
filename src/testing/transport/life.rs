//! Processes of ours that are to die: the test's own program, run again as one of its cases.
//!
//! A case asks for one by its number, and the same case then runs in the other process, where
//! [`Trial::life`] gives that number. Both write into one ledger, so the account at the end is made of all lives.

use std::{
    collections::BTreeSet,
    env, fs,
    path::PathBuf,
    process::{Command, Stdio, abort},
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Tamper, Trial};
use crate::{
    service::running::FORCED,
    testing::ledger::{Answer, Ended, Entry, Line},
    transport::{Delivery, SettleError, Settlement},
};

/// Tells the program that it is such a process, and of which run.
const GIVEN: &str = "CONFORMANCE_LIFE";
/// What a case says that the subject has no other processes for.
pub(super) const NEEDS: &str = "a broker that other processes can find, and a test that can run again";
/// The name of such a process in the ledger.
pub(super) const LIFE: &str = "life";

/// What such a process is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Life {
    pub(super) number: usize,
    pub(super) seed: u64,
    pub(super) folder: PathBuf,
    pub(super) address: String,
}

/// How such a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The case came to its end in it.
    Well,
    /// Its service was stopped, and not all handlers ended by themselves.
    Forced,
    /// It was killed.
    Killed,
}

impl Life {
    /// What this process was told, if it is one.
    pub(super) fn given() -> Option<Self> {
        let given = env::var(GIVEN).ok()?;
        Some(serde_json::from_str(&given).expect("it was written by `live`"))
    }
}

impl Trial {
    /// Can there be other processes?
    pub(super) async fn can_live(&self) -> bool {
        self.test.is_some() && self.subject.address().await.is_some()
    }

    /// Runs this case in another process, where [`life`](Self::life) is this number, until it ends; none if there can
    /// be no other.
    ///
    /// # Panics
    /// The process fails in another way than by being killed.
    pub async fn live(&self, number: usize) -> Option<End> {
        let (test, address) = (self.test.clone()?, self.subject.address().await?);
        let life = Life { number, seed: self.seed, folder: self.folder.path().to_owned(), address };
        let mut command = Command::new(env::current_exe().expect("a test is a program"));
        command.args([&test, "--exact", "--nocapture"]).stdin(Stdio::null());
        command.env(GIVEN, serde_json::to_string(&life).expect("it is plain data"));
        let ended = tokio::task::spawn_blocking(move || command.output()).await.expect("nothing there panics");
        let ended = ended.expect("the test's program runs");
        match ended.status.code() {
            Some(0) => Some(End::Well),
            Some(FORCED) => Some(End::Forced),
            None => Some(End::Killed),
            Some(code) => panic!("life {number} ended with {code}: {}", String::from_utf8_lossy(&ended.stderr)),
        }
    }

    /// What those processes wrote, as it came.
    ///
    /// # Panics
    /// It cannot be read.
    pub fn told_by_lives(&self) -> Vec<Entry> {
        let files = fs::read_dir(self.folder.path()).expect("the folder is the run's").flatten();
        let of_lives = files.filter(|file| file.file_name().to_string_lossy().starts_with(LIFE));
        let texts = of_lives.map(|file| fs::read_to_string(file.path()).expect("a ledger can be read"));
        // A line that a kill cut short was never written.
        let read = |text: String| text.lines().flat_map(serde_json::from_str::<Line>).collect::<Vec<_>>();
        let mut lines: Vec<_> = texts.flat_map(read).collect();
        lines.sort_by_key(|line| line.at);
        lines.into_iter().map(|line| line.entry).collect()
    }

    /// The messages that those processes were told are stored.
    pub(super) fn taken_by_lives(&self) -> Vec<String> {
        let told = self.told_by_lives().into_iter();
        let taken = told.filter_map(|entry| match entry {
            Entry::PublishEnd { id, answer: Answer::Ok } => Some(id),
            _ => None,
        });
        taken.collect()
    }

    /// The messages that those processes completed.
    pub(super) fn completed_by_lives(&self) -> BTreeSet<String> {
        let told = self.told_by_lives().into_iter();
        let completed = told.filter_map(|entry| match entry {
            Entry::RunEnd { id, ended: Ended::Ok, .. } => Some(id),
            _ => None,
        });
        completed.collect()
    }
}

/// Ends the process at one of its settlements of a kind.
pub(super) struct Dies {
    at: Settled,
    before: AtomicUsize,
}

/// A kind of settlements, and whether it has been told to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// Before an ack is told.
    BeforeAck,
    /// After a retry was told.
    AfterRetry,
}

impl Dies {
    /// At so many of this kind, from 1.
    pub(super) fn at(at: Settled, count: usize) -> Self {
        Self { at, before: AtomicUsize::new(count) }
    }

    fn count(&self) {
        if self.before.fetch_sub(1, Ordering::SeqCst) == 1 {
            abort();
        }
    }
}

#[async_trait]
impl Tamper for Dies {
    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        let is_retry = matches!(settlement, Settlement::Retry { .. });
        if self.at == Settled::BeforeAck && matches!(settlement, Settlement::Ack) {
            self.count();
        }
        delivery.settle(settlement).await?;
        if self.at == Settled::AfterRetry && is_retry {
            self.count();
        }
        Ok(())
    }
}
