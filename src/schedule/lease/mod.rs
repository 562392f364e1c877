//! One run for each tick, over all replicas: leases on ticks.

mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod seen;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryLeases;

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures_util::FutureExt;

use crate::{
    error::{Failure, Kind, panic_text},
    failpoint::{self, Point},
    time::Wall,
};

/// Why a store of leases did not answer.
pub type LeaseError = Failure<LeaseErrorKind>;

/// The causes of a [`LeaseError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseErrorKind {
    /// The store is away, or did not do it this time.
    Unavailable,
}

impl Kind for LeaseErrorKind {
    fn is_transient(self) -> bool {
        true
    }
}

/// What one replica asks for: to run one tick of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// Service and name of the schedule, as `billing/send_report`.
    pub schedule: String,
    /// When the tick was planned, in whole milliseconds.
    pub tick: SystemTime,
    /// Who asks; no other replica has this text, nor the same one after a restart.
    pub holder: String,
    /// How long the lease holds, unless it is renewed.
    pub lease: Duration,
    /// How many ticks of this schedule may run at once, over all replicas.
    pub at_once: usize,
    /// The time of day, as the replica knows it. A store that several machines share goes by its own clock instead.
    pub now: SystemTime,
}

impl Claim {
    /// A claim on this tick of this schedule, for 30 s, while no other tick of it runs.
    pub fn new(schedule: impl Into<String>, tick: SystemTime, holder: impl Into<String>) -> Self {
        let (schedule, holder, lease) = (schedule.into(), holder.into(), Duration::from_secs(30));
        Self { schedule, tick, holder, lease, at_once: 1, now: Wall::system().now() }
    }
}

/// What a store answers to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The claimant has the lease, and runs the tick.
    Granted,
    /// Another one runs the tick; its lease holds for this long.
    Held(Duration),
    /// The tick was run, or a later one was begun before anybody took it.
    Over,
    /// As many other ticks of the schedule run as may at once.
    Busy,
}

/// What a store knows of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Known {
    /// The latest tick that anybody took; before the first one, when the schedule began.
    pub latest: SystemTime,
    /// Ticks that were taken and not finished.
    pub unfinished: Vec<SystemTime>,
}

impl Known {
    /// What is known of a schedule of which this is the latest tick, and these were not finished.
    pub fn new(latest: SystemTime, unfinished: Vec<SystemTime>) -> Self {
        Self { latest, unfinished }
    }
}

/// Keeps leases for replicas that share it.
///
/// # What it must do
/// - MUST decide each `take` as if no other call ran beside it, over all replicas.
/// - MUST measure leases by one clock for all of them, best by its own.
/// - MUST answer, in this order: `Over`, if the tick was finished, or if it is not later than the latest one and was not
///   left unfinished; `Held`, if a lease on it holds, of whomever; `Busy`, if leases hold on `at_once` other ticks of
///   the schedule; else `Granted`, which it remembers for as long as the schedule may come.
/// - MUST take the time of the first `register` for the latest tick, as one that was run: whoever registers later counts from there.
/// - MUST refuse `renew` and `finish` of one whose lease was taken over, and `renew` of a lease that has ended: another tick
///   may run in its place.
/// - MUST keep per schedule the latest tick and those unfinished; older ones need no record.
///
/// A well-known mistake is to read, decide and write in three steps without a lock: two replicas are granted one tick. So
/// is to lock in `take` alone: a `renew` in its midst then says yes to one whose lease is taken over.
#[async_trait]
pub trait LeaseStore: Send + Sync + 'static {
    /// Takes the lease on a tick, if it is free.
    ///
    /// # Errors
    /// The store did not answer; the lease may have been taken, and ends by itself.
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError>;

    /// Makes a lease hold for its whole time again; does it still hold, and is it the claimant's?
    ///
    /// # Errors
    /// The store did not answer.
    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError>;

    /// Notes that the tick was run; was the lease still the claimant's?
    ///
    /// # Errors
    /// The store did not answer; the tick may be run again.
    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError>;

    /// Registers a schedule, which begins now if nothing is known of it; what is known.
    ///
    /// # Errors
    /// The store did not answer; the schedule may have begun.
    async fn register(&self, schedule: &str, now: SystemTime) -> Result<Known, LeaseError>;
}

#[async_trait]
impl<T: LeaseStore + ?Sized> LeaseStore for Arc<T> {
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError> {
        (**self).take(claim).await
    }

    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError> {
        (**self).renew(claim).await
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError> {
        (**self).finish(claim).await
    }

    async fn register(&self, schedule: &str, now: SystemTime) -> Result<Known, LeaseError> {
        (**self).register(schedule, now).await
    }
}

/// Takes the lease on a tick, if it is free.
pub(super) async fn take(store: &dyn LeaseStore, claim: &Claim) -> Result<Taken, LeaseError> {
    let answer = async {
        passed(Point::ScheduleBeforeTake)?;
        let taken = store.take(claim).await?;
        passed(Point::ScheduleAfterTake).map(|()| taken)
    };
    asked(answer).await
}

/// Makes a lease hold for its whole time again; is it still the claimant's?
pub(super) async fn renew(store: &dyn LeaseStore, claim: &Claim) -> Result<bool, LeaseError> {
    let answer = async {
        let held = store.renew(claim).await?;
        passed(Point::ScheduleAfterRenew).map(|()| held)
    };
    asked(answer).await
}

/// Notes that the tick was run; was the lease still the claimant's?
pub(super) async fn finish(store: &dyn LeaseStore, claim: &Claim) -> Result<bool, LeaseError> {
    let answer = async {
        passed(Point::ScheduleAfterRun)?;
        let held = store.finish(claim).await?;
        passed(Point::ScheduleAfterRecord).map(|()| held)
    };
    asked(answer).await
}

fn passed(point: Point) -> Result<(), LeaseError> {
    failpoint::hit(point)
        .map_err(|struck| LeaseError::new(LeaseErrorKind::Unavailable, "the answer was cut short").caused_by(struck))
}

/// How long a store may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// What the store answers; a panic or silence is none.
pub(super) async fn asked<T>(call: impl Future<Output = Result<T, LeaseError>>) -> Result<T, LeaseError> {
    let fault = |text| Err(LeaseError::new(LeaseErrorKind::Unavailable, text));
    match tokio::time::timeout(ANSWER, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => fault(format!("the store {}", panic_text(&*panic))),
        Err(_) => fault(format!("no answer within {ANSWER:?}")),
    }
}
