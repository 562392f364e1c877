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

#[async_trait]
impl LeaseStore for Leases {
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError> {
        self.ask().await?;
        let taken = self.memory.take(claim).await?;
        if taken == Taken::Granted {
            let turn = turn(&claim.schedule, claim.tick);
            self.note(Ticked::Granted { turn, by: self.by.to_string() });
        }
        self.answer(taken).await
    }

    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError> {
        self.ask().await?;
        let held = self.memory.renew(claim).await?;
        self.answer(held).await
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError> {
        self.ask().await?;
        let noted = self.memory.finish(claim).await?;
        let turn = turn(&claim.schedule, claim.tick);
        self.note(Ticked::Finished { turn, by: self.by.to_string(), noted });
        self.answer(noted).await
    }

    async fn known(&self, schedule: &str) -> Result<Known, LeaseError> {
        self.ask().await?;
        let known = self.memory.known(schedule).await?;
        self.answer(known).await
    }
}
