//! The loop that waits for the ticks of one schedule and has them run.
//!
//! It never sleeps long without a look at the clock on the wall, which may have been put forward or back (J4). It knows
//! the last tick that was dealt with, here or elsewhere, and never goes back before it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::tz::TimeZone;
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    time::Instant,
};

use super::{
    Missed, Overlap,
    job::{Crew, Job},
    lease::{self, Claim, Known, LeaseError, LeaseStore, Taken},
    run::{Lease, Shift},
};
use crate::{envelope::MessageId, error::told, time::backoff};

/// The longest sleep without a look at the clock.
const LOOK: Duration = Duration::from_secs(10);
/// A tick is missed that nobody ran so long after it was due.
const GRACE: Duration = Duration::from_secs(5);
/// How long a tick that must not be left out waits until it asks for its turn again.
const TURN: Duration = Duration::from_secs(1);
/// How many of the next times are told at the start.
const TOLD: usize = 5;
/// Waits for ticks.
pub(super) struct Runner {
    job: Job,
    crew: Arc<Crew>,
    store: Arc<dyn LeaseStore>,
    schedule: String,
    slots: Arc<Semaphore>,
    /// The last tick that was dealt with.
    last: SystemTime,
    /// How much later by chance the next one starts.
    delay: Duration,
    /// Until when a queue kept us from looking.
    kept_until: SystemTime,
    /// Ticks that others run, and when to see whether they did.
    elsewhere: BTreeMap<SystemTime, Instant>,
    /// Ticks whose runs here lost their leases.
    lost: (UnboundedSender<SystemTime>, UnboundedReceiver<SystemTime>),
    /// The tick that was asked for, if there was no answer: its lease may be here.
    unanswered: Option<SystemTime>,
    failures: u32,
    skipping: Stretch,
    missing: Stretch,
    behind: Stretch,
}

/// A state that is told of once, when it begins.
#[derive(Default)]
struct Stretch(bool);

impl Stretch {
    fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.0, true)
    }

    fn ends(&mut self) {
        self.0 = false;
    }
}

/// What is to be done with a tick.
enum Turn {
    Now(OwnedSemaphorePermit),
    Never,
}

impl Runner {
    pub(super) fn new(job: Job, crew: Arc<Crew>, store: Arc<dyn LeaseStore>) -> Self {
        let (schedule, now) = (format!("{}/{}", crew.service, job.name), crew.wall.now());
        let slots = Arc::new(Semaphore::new(job.at_once()));
        Self {
            job,
            crew,
            store,
            schedule,
            slots,
            last: now,
            delay: Duration::ZERO,
            kept_until: SystemTime::UNIX_EPOCH,
            elsewhere: BTreeMap::new(),
            lost: unbounded_channel(),
            unanswered: None,
            failures: 0,
            skipping: Stretch::default(),
            missing: Stretch::default(),
            behind: Stretch::default(),
        }
    }

    /// Runs the schedule until the service drains.
    pub(super) async fn run(mut self) {
        let draining = self.crew.lifecycle.draining().clone();
        tokio::select! {
            biased;
            () = draining.cancelled() => {}
            () = self.forever() => {}
        }
    }

    async fn forever(&mut self) {
        self.begin().await;
        loop {
            self.step().await;
        }
    }

    /// Runs at once, if it is to; then learns what others have done so far.
    async fn begin(&mut self) {
        let now = self.crew.wall.now();
        if self.job.plan.immediately
            && let Ok(slot) = self.slots.clone().try_acquire_owned()
        {
            self.start(now, None, slot);
        }
        let known = loop {
            match self.known(now).await {
                Ok(known) => break known,
                Err(error) => self.wait_out(&error).await,
            }
        };
        self.last = known.latest;
        if self.job.options.missed != Missed::Skip {
            let look = self.crew.instant();
            self.elsewhere = known.unfinished.into_iter().map(|tick| (tick, look)).collect();
            self.forget_superseded();
        }
        self.passed(self.last);
        self.tell(now);
    }

    /// Tells the next times, so that a wrong one is seen early.
    fn tell(&self, now: SystemTime) {
        let name = &*self.job.name;
        let next = self
            .job
            .plan
            .after(now)
            .take(TOLD)
            .map(|time| shown(time, self.job.plan.zone()))
            .collect::<Vec<_>>()
            .join(", ");
        if next.is_empty() {
            return tracing::warn!(schedule = name, "the schedule never comes again");
        }
        tracing::info!(schedule = name, next, "schedule waits");
    }

    async fn known(&self, now: SystemTime) -> Result<Known, LeaseError> {
        let known = lease::asked(self.store.register(&self.schedule, now)).await?;
        self.job.history.leases(None);
        Ok(known)
    }

    /// Deals with one tick, or waits for a while. A run that has lost its lease is somebody's again, maybe ours.
    async fn step(&mut self) {
        while let Ok(tick) = self.lost.1.try_recv() {
            self.watch(tick, TURN);
            self.forget_superseded();
        }
        let instant = self.crew.instant();
        let look = self.elsewhere.iter().min_by_key(|(_, look)| **look).map(|(tick, look)| (*tick, *look));
        if let Some((tick, _)) = look.filter(|(_, look)| *look <= instant) {
            return self.inherit(tick).await;
        }
        let now = self.crew.wall.now();
        self.note_jump(now);
        let next = self.job.plan.next(self.last);
        self.job.history.next(next);
        let until_look = look.map_or(LOOK, |(_, look)| look.saturating_duration_since(instant));
        match next.map(|next| (next, (next + self.delay).duration_since(now))) {
            Some((_, Ok(wait))) if !wait.is_zero() => tokio::time::sleep(wait.min(LOOK).min(until_look)).await,
            Some((next, _)) => self.due(next, now).await,
            None => tokio::time::sleep(LOOK.min(until_look)).await,
        }
    }

    fn note_jump(&mut self, now: SystemTime) {
        match self.last.duration_since(now) {
            Ok(behind) if behind > GRACE && self.behind.begins() => {
                let schedule = &*self.job.name;
                tracing::warn!(
                    schedule,
                    ?behind,
                    "the clock was put back; nothing is run twice, so nothing runs until then"
                );
            }
            Ok(behind) if behind > GRACE => {}
            _ => self.behind.ends(),
        }
    }

    /// The next tick has come, maybe long ago.
    async fn due(&mut self, first: SystemTime, now: SystemTime) {
        let late = self.is_late(first, now);
        let tick = match self.job.options.missed {
            _ if !late => first,
            Missed::All => first,
            Missed::Once | Missed::Skip => self.job.plan.latest(first, now.checked_sub(self.delay).unwrap_or(now)),
        };
        self.note_missed(late, first);
        if late && self.job.options.missed == Missed::Skip && self.is_late(tick, now) {
            return self.passed(tick);
        }
        match self.turn(late).await {
            Turn::Now(slot) => self.claim(tick, late, slot).await,
            Turn::Never => self.skip(tick),
        }
    }

    fn note_missed(&mut self, late: bool, first: SystemTime) {
        if !late {
            return self.missing.ends();
        }
        self.job.history.missed();
        if self.missing.begins() {
            let (schedule, planned) = (&*self.job.name, shown(first, self.job.plan.zone()));
            tracing::warn!(schedule, planned, policy = ?self.job.options.missed, "the schedule was missed");
        }
    }

    /// Did nobody look in time? What waited in a queue did so by right.
    fn is_late(&self, tick: SystemTime, now: SystemTime) -> bool {
        let queued = self.job.options.overlap == Overlap::Queue && tick <= self.kept_until;
        !queued && now.duration_since(tick + self.delay).is_ok_and(|late| late > GRACE)
    }

    /// Waits for a place among the runs on this replica, if the tick must not be left out.
    async fn turn(&mut self, late: bool) -> Turn {
        let slots = self.slots.clone();
        let slot = match slots.clone().try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) if self.must_run(late) => {
                let slot = slots.acquire_owned().await.expect("the slots are never closed");
                self.kept_until = self.crew.wall.now();
                slot
            }
            Err(_) => return Turn::Never,
        };
        Turn::Now(slot)
    }

    fn must_run(&self, late: bool) -> bool {
        self.job.options.overlap == Overlap::Queue || (late && self.job.options.missed == Missed::All)
    }

    /// Asks for the tick, and runs it if it is ours.
    async fn claim(&mut self, tick: SystemTime, late: bool, slot: OwnedSemaphorePermit) {
        let mut lease = self.lease(tick);
        loop {
            match self.take(&mut lease).await {
                Ok(Taken::Granted) => {
                    self.skipping.ends();
                    self.start(tick, Some(lease), slot);
                }
                Ok(Taken::Held(rest)) => self.watch(tick, rest),
                Ok(Taken::Over) => {}
                Ok(Taken::Busy) if self.must_run(late) => {
                    tokio::time::sleep(TURN).await;
                    self.kept_until = self.crew.wall.now();
                    continue;
                }
                Ok(Taken::Busy) => return self.skip(tick),
                // The tick is not dealt with yet.
                Err(error) => return self.wait_out(&error).await,
            }
            return self.passed(tick);
        }
    }

    /// Another one had the tick: is it done, or is it ours now?
    async fn inherit(&mut self, tick: SystemTime) {
        let mut lease = self.lease(tick);
        let Ok(slot) = self.slots.clone().try_acquire_owned() else { return self.watch(tick, TURN) };
        match self.take(&mut lease).await {
            Ok(Taken::Granted) => {
                tracing::warn!(schedule = &*self.job.name, "who ran the schedule is gone; it runs here again");
                self.job.history.missed();
                self.elsewhere.remove(&tick);
                self.start(tick, Some(lease), slot);
            }
            Ok(Taken::Held(rest)) => self.watch(tick, rest),
            Ok(Taken::Busy) => self.watch(tick, TURN),
            Ok(Taken::Over) => drop(self.elsewhere.remove(&tick)),
            Err(error) => self.wait_out(&error).await,
        }
    }

    fn lease(&self, tick: SystemTime) -> Lease {
        let mut claim = Claim::new(self.schedule.as_str(), tick, self.crew.instance.as_str());
        claim.at_once = self.job.at_once();
        Lease { store: self.store.clone(), claim, asked: self.crew.instant() }
    }

    async fn take(&mut self, lease: &mut Lease) -> Result<Taken, LeaseError> {
        let claim = lease.claim(&self.crew);
        let again = self.unanswered.replace(claim.tick) == Some(claim.tick);
        lease.asked = self.crew.instant();
        let taken = lease::take(&*lease.store, &claim).await?;
        let is_held = again && matches!(taken, Taken::Held(_));
        if is_held {
            lease.asked = self.crew.instant();
        }
        // Granted the first time, and nobody heard of it.
        let ours = is_held && lease::renew(&*lease.store, &claim).await?;
        (self.unanswered, self.failures) = (None, 0);
        self.job.history.leases(None);
        Ok(if ours { Taken::Granted } else { taken })
    }

    /// Looks again when the lease of another one has ended.
    fn watch(&mut self, tick: SystemTime, rest: Duration) {
        if self.job.options.missed != Missed::Skip {
            self.elsewhere.insert(tick, self.crew.instant() + rest);
        }
    }

    /// Starts a run, as a task of the service.
    fn start(&self, planned: SystemTime, lease: Option<Lease>, slot: OwnedSemaphorePermit) {
        let (job, crew, correlation_id) = (self.job.clone(), self.crew.clone(), MessageId::draw(&self.crew.dice));
        let lost = self.lost.0.clone();
        let shift = Shift { job, crew, planned, correlation_id, lease, lost, slot };
        self.crew.lifecycle.spawn(shift.work());
    }

    fn skip(&mut self, tick: SystemTime) {
        self.job.history.skipped();
        if self.skipping.begins() {
            tracing::warn!(schedule = &*self.job.name, "an earlier run goes on; ticks are skipped until it ends");
        }
        self.passed(tick);
    }

    /// The tick is dealt with.
    fn passed(&mut self, tick: SystemTime) {
        self.last = self.last.max(tick);
        self.delay = self.crew.dice.part_of(self.job.plan.jitter);
        self.forget_superseded();
    }

    /// A later tick makes up for those before it, unless each of them counts.
    fn forget_superseded(&mut self) {
        if self.job.options.missed == Missed::Once {
            self.elsewhere = self.elsewhere.split_off(&self.last);
        }
    }

    async fn wait_out(&mut self, error: &LeaseError) {
        self.failures += 1;
        self.job.history.leases(Some(told(error)));
        let (schedule, delay) = (&*self.job.name, backoff(self.failures, &self.crew.dice));
        tracing::warn!(schedule, error = error.with_causes(), ?delay, "the leases do not answer; will try again");
        tokio::time::sleep(delay).await;
    }
}

/// As the log tells times.
pub(super) fn shown(time: SystemTime, zone: &TimeZone) -> String {
    jiff::Timestamp::try_from(time)
        .map(|time| time.display_with_offset(zone.to_offset(time)).to_string())
        .unwrap_or_default()
}
