//! A store of leases on which everything goes wrong that may: the one in memory behind the world's chance.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use tegami::schedule::lease::{Claim, Known, LeaseError, LeaseErrorKind, LeaseStore, MemoryLeases, Taken};

use crate::{
    happened::{Happened, Ticked, Turn},
    world::{World, millis},
};

/// The longest that a slow way takes, in milliseconds: longer than a lease.
const SLOW: u64 = 60_000;

/// One life's connection to the store.
#[derive(Clone)]
pub struct Leases {
    world: Arc<World>,
    by: Arc<str>,
    memory: MemoryLeases,
    dead: Arc<AtomicBool>,
}

impl Leases {
    pub fn new(world: &Arc<World>, by: &str, memory: &MemoryLeases) -> Self {
        Self { world: world.clone(), by: by.into(), memory: memory.clone(), dead: Arc::default() }
    }

    /// Its process is gone: nothing that it asks for from now on is done.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    async fn ask(&self) -> Result<(), LeaseError> {
        self.world.travel().await;
        let away = self.dead.load(Ordering::Relaxed) || self.world.is_shut() || self.world.strikes(10);
        if away { Err(fault()) } else { Ok(()) }
    }

    /// Does it; or rarely has it done on a way so slow that nobody waits for the answer any more, but for whom it counts.
    async fn done<T, F>(&self, work: F) -> Result<T, LeaseError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LeaseError>> + Send + 'static,
    {
        self.ask().await?;
        if !self.world.strikes(5) {
            let done = work.await?;
            return self.answer(done).await;
        }
        let world = self.world.clone();
        tokio::spawn(async move {
            world.sleep(0..SLOW).await;
            drop(work.await);
        });
        self.world.sleep(0..SLOW).await;
        Err(fault())
    }

    async fn answer<T>(&self, answer: T) -> Result<T, LeaseError> {
        self.world.travel().await;
        if self.dead.load(Ordering::Relaxed) || self.world.strikes(10) { Err(fault()) } else { Ok(answer) }
    }

    fn note(&self, step: Ticked) {
        self.world.note(Happened::Ticked(step));
    }
}

/// The tick, as the model knows it: schedules are named by their number.
pub fn turn(schedule: &str, tick: SystemTime) -> Turn {
    let name = schedule.rsplit('/').next().unwrap_or(schedule);
    Turn { schedule: name.parse().expect("schedules are named by numbers"), tick: millis(tick) }
}

fn fault() -> LeaseError {
    LeaseError::new(LeaseErrorKind::Unavailable, "the leases do not answer")
}

/// Takes the lease, and tells the model.
async fn take(leases: Leases, claim: Claim) -> Result<Taken, LeaseError> {
    let taken = leases.memory.take(&claim).await?;
    if taken == Taken::Granted {
        let turn = turn(&claim.schedule, claim.tick);
        leases.note(Ticked::Granted { turn, by: leases.by.to_string() });
    }
    Ok(taken)
}

/// Registers the schedule, and tells the model what is known of it.
async fn register(leases: Leases, schedule: String, now: SystemTime) -> Result<Known, LeaseError> {
    let known = leases.memory.register(&schedule, now).await?;
    leases.note(Ticked::Known { turn: turn(&schedule, known.latest) });
    Ok(known)
}

/// Finishes the tick, and tells the model.
async fn finish(leases: Leases, claim: Claim) -> Result<bool, LeaseError> {
    let noted = leases.memory.finish(&claim).await?;
    let turn = turn(&claim.schedule, claim.tick);
    leases.note(Ticked::Finished { turn, by: leases.by.to_string(), noted });
    Ok(noted)
}

#[async_trait]
impl LeaseStore for Leases {
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError> {
        self.done(take(self.clone(), claim.clone())).await
    }

    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError> {
        let (memory, claim) = (self.memory.clone(), claim.clone());
        self.done(async move { memory.renew(&claim).await }).await
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError> {
        self.done(finish(self.clone(), claim.clone())).await
    }

    async fn register(&self, schedule: &str, now: SystemTime) -> Result<Known, LeaseError> {
        self.done(register(self.clone(), schedule.to_owned(), now)).await
    }
}
