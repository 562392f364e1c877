//! A database in memory on which everything goes wrong that may: its outbox and its inbox, behind the world's chance.
//!
//! One connection per life of a service. Whatever it answers, it tells the model what is true.

mod archive;
mod checkpoints;
mod desk;
mod rows;
mod shelves;
mod timeouts;
mod tx;

pub use archive::Drawer;
pub use tx::Tx;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tegami::{
    envelope::MessageId,
    outbox::{Claim, Claimed, Database, DatabaseError, DatabaseErrorKind, Fate, Mark, Marked, Outbox},
};
use tokio::{sync::Notify, time::Instant};

use crate::{
    happened::{Happened, Rows},
    world::World,
};
use archive::Archive;
use desk::Desk;

/// How long a transaction waits for another that handles the same message.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it waits until it looks again, in milliseconds.
const LOOK: u64 = 50;

/// What all connections share: the database itself.
pub struct Office {
    world: Arc<World>,
    desk: Mutex<Desk>,
    committed: Notify,
    archive: Archive,
    transactions: AtomicU64,
}

/// One connection. Clones are the same.
#[derive(Clone)]
pub struct Counter {
    office: Arc<Office>,
    by: Arc<str>,
    dead: Arc<AtomicBool>,
}

impl Office {
    pub fn new(world: &Arc<World>) -> Arc<Self> {
        let (desk, committed, archive) = (Mutex::default(), Notify::new(), Archive::default());
        Arc::new(Self { world: world.clone(), desk, committed, archive, transactions: AtomicU64::default() })
    }

    pub fn connect(self: &Arc<Self>, by: &str) -> Counter {
        Counter { office: self.clone(), by: by.into(), dead: Arc::default() }
    }

    /// Are all messages out of the outbox, and is all that is recorded handled?
    pub fn is_quiet(&self) -> bool {
        let desk = self.desk();
        desk.waiting() == 0 && desk.shelves.is_quiet(self.archive.end())
    }

    /// How many recorded events queues gave up on.
    pub fn dead(&self) -> usize {
        self.desk().shelves.dead()
    }

    /// Where the recorded event with this id is.
    pub fn position(&self, id: &MessageId) -> Option<u64> {
        self.archive.position(id)
    }

    /// Tells the model.
    fn tell(&self, steps: Vec<Happened>) {
        steps.into_iter().for_each(|step| self.world.note(step));
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter {
    /// Its process is gone: nothing that it asks for from now on is done.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    fn world(&self) -> &World {
        &self.office.world
    }

    fn note(&self, step: Rows) {
        self.world().note(Happened::Rows(step));
    }

    /// On its way there: it may not arrive.
    async fn ask(&self) -> Result<(), DatabaseError> {
        let world = self.world();
        world.travel().await;
        let away = self.dead.load(Ordering::Relaxed) || world.is_shut() || world.strikes(5);
        if away { Err(fault(DatabaseErrorKind::Unreachable)) } else { Ok(()) }
    }

    /// On its way back: the answer may be late or lost.
    async fn answer<T>(&self, answer: T, lost: DatabaseErrorKind) -> Result<T, DatabaseError> {
        let world = self.world();
        world.travel().await;
        if self.dead.load(Ordering::Relaxed) || world.strikes(5) { Err(fault(lost)) } else { Ok(answer) }
    }
}

fn fault(kind: DatabaseErrorKind) -> DatabaseError {
    DatabaseError::new(kind, "the database does not answer")
}

#[async_trait]
impl Outbox for Counter {
    fn name(&self) -> String {
        "office".to_owned()
    }

    async fn take(&self, claim: &Claim) -> Result<Vec<Claimed>, DatabaseError> {
        self.ask().await?;
        let taken = self.office.desk().take(claim, Instant::now());
        if !taken.is_empty() {
            let numbers = taken.iter().map(|claimed| rows::number(&claimed.row)).collect();
            self.note(Rows::Taken { by: self.by.to_string(), numbers });
        }
        self.answer(taken, DatabaseErrorKind::Unreachable).await
    }

    async fn settle(&self, claim: &Claim, fates: &[(u64, Fate)]) -> Result<(), DatabaseError> {
        self.ask().await?;
        let told = self.office.desk().settle(claim, fates, Instant::now());
        for (number, fate) in told {
            self.note(Rows::Told { by: self.by.to_string(), number, fate });
        }
        self.answer((), DatabaseErrorKind::Unreachable).await
    }

    async fn later_than(&self, seen: u64) -> u64 {
        loop {
            let commits = self.office.desk().commits();
            if commits > seen {
                return commits;
            }
            self.office.committed.notified().await;
        }
    }

    async fn next_due(&self, _: &Claim) -> Result<Option<Duration>, DatabaseError> {
        self.ask().await?;
        Ok(self.office.desk().next_due(Instant::now()))
    }

    async fn waiting(&self) -> Result<u64, DatabaseError> {
        Ok(self.office.desk().waiting())
    }

    async fn forget(&self, _: Duration, _: usize) -> Result<usize, DatabaseError> {
        Ok(0)
    }
}

#[async_trait]
impl Database for Counter {
    type Tx = Tx;

    async fn begin(&self) -> Result<Tx, DatabaseError> {
        self.ask().await?;
        self.answer(Tx::new(self), DatabaseErrorKind::Unreachable).await
    }

    async fn commit(&self, tx: Tx) -> Result<(), DatabaseError> {
        if self.world().strikes(5) {
            return Err(fault(DatabaseErrorKind::Unknown));
        }
        self.ask().await?;
        if self.world().strikes(5) {
            return Err(fault(DatabaseErrorKind::Busy));
        }
        self.office.tell(tx.commit()?);
        self.office.committed.notify_waiters();
        self.answer((), DatabaseErrorKind::Unknown).await
    }

    async fn mark(&self, tx: &mut Tx, mark: &Mark) -> Result<Marked, DatabaseError> {
        let until = Instant::now() + PATIENCE;
        self.ask().await?;
        loop {
            if let Some(marked) = tx.mark(mark) {
                return self.answer(marked, DatabaseErrorKind::Unreachable).await;
            }
            if Instant::now() >= until {
                return Err(fault(DatabaseErrorKind::Busy));
            }
            self.world().sleep(1..LOOK).await;
        }
    }
}
