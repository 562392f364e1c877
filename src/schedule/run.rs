//! One run: contained, timed, and with its lease kept.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::FutureExt;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc::UnboundedSender},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::{
    Outcome,
    job::{Crew, Job},
    lease::{self, Claim, LeaseStore},
    span,
    tick::Facts,
};
use crate::{
    envelope::MessageId,
    error::panic_text,
    failpoint::{self, Point},
    lifecycle::Blocking,
    publisher::Trace,
    telemetry::{Fact, Ran, spans},
    time::backoff,
};

/// How long a run may go on once it is told to end.
const CUT_OFF_TIME: Duration = Duration::from_secs(5);
/// A lease is renewed after one such part of its time; not renewed for all parts but one, it counts as lost.
const RENEWALS: u32 = 3;
/// How often a store is asked to note the end of a run.
const FINISHES: u32 = 5;
/// How much of an error is told, in bytes.
const ERROR_LIMIT: usize = 1024;

/// A run about to begin.
pub(super) struct Shift {
    pub(super) job: Job,
    pub(super) crew: Arc<Crew>,
    pub(super) planned: SystemTime,
    /// The conversation that the run begins.
    pub(super) correlation_id: MessageId,
    /// None for a run that is of this replica alone.
    pub(super) lease: Option<Lease>,
    /// Where its tick is told, if it loses that.
    pub(super) lost: UnboundedSender<SystemTime>,
    /// Its place among the runs that may go on at once.
    pub(super) slot: OwnedSemaphorePermit,
}

/// A lease that was granted.
#[derive(Clone)]
pub(super) struct Lease {
    pub(super) store: Arc<dyn LeaseStore>,
    pub(super) claim: Claim,
    /// When it was asked for: it holds from then on at least, however late the answer came.
    pub(super) asked: Instant,
}

impl Shift {
    /// Runs, and has the end noted.
    pub(super) async fn work(self) {
        let span = span::of(&self);
        self.run(&span).instrument(span.clone()).await;
    }

    async fn run(self, span: &Span) {
        let (history, wall) = (&self.job.history, &self.crew.wall);
        let (number, begun) = (history.begins(self.planned, wall.now()), self.crew.instant());
        let ended = AssertUnwindSafe(self.outcome()).catch_unwind().await;
        let outcome = ended.unwrap_or_else(|panic| Outcome::Panicked(shortened(&panic_text(&*panic))));
        self.tell(&outcome);
        if outcome != Outcome::Done {
            spans::fail(span, outcome.as_str(), outcome.as_str());
        }
        let took = self.crew.instant().saturating_duration_since(begun);
        self.crew.observers.tell(&Fact::Ran(Ran { schedule: &self.job.name, outcome: outcome.as_str(), took }));
        history.ended(number, wall.now(), outcome.clone());
        if outcome == Outcome::LeaseLost {
            // Whoever waits for ticks may have ended.
            let _ = self.lost.send(self.planned);
        }
        if let Some(lease) = self.lease.as_ref().filter(|_| !matches!(outcome, Outcome::Cut | Outcome::LeaseLost)) {
            lease.finish(&self.crew).await;
        }
        drop(self.slot);
    }

    /// What the run comes to. A panic while it is dropped comes out of here.
    async fn outcome(&self) -> Outcome {
        let cancelled = self.crew.lifecycle.cut_off().child_token();
        let facts = Facts {
            name: self.job.name.clone(),
            planned: self.planned,
            publisher: self.crew.publisher.asked_by(self.correlation_id.clone(), Trace::default()),
            cancelled: cancelled.clone(),
            stop: self.crew.stop.clone(),
        };
        let _end = cancelled.clone().drop_guard();
        tokio::select! {
            biased;
            outcome = self.taken_away(&cancelled) => outcome,
            outcome = self.handled(facts) => outcome,
        }
    }

    async fn handled(&self, facts: Facts) -> Outcome {
        let what = Working { name: self.job.name.clone() };
        let work = self.crew.watch.over(what, async {
            if let Err(struck) = failpoint::hit(Point::ScheduleBeforeRun) {
                return Outcome::Failed(struck.to_string());
            }
            match (self.job.call)(facts).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::Failed(shortened(&error.to_string())),
            }
        });
        let ended = AssertUnwindSafe(timeout(self.job.timeout(), work)).catch_unwind().await;
        match ended {
            Ok(ended) => ended.unwrap_or(Outcome::TimedOut),
            Err(panic) => Outcome::Panicked(shortened(&panic_text(&*panic))),
        }
    }

    /// Ends some time after the run was told to end, by a forced stop or because its lease is lost.
    async fn taken_away(&self, cancelled: &CancellationToken) -> Outcome {
        let outcome = tokio::select! {
            biased;
            () = self.crew.lifecycle.cut_off().cancelled() => Outcome::Cut,
            () = self.lost() => Outcome::LeaseLost,
        };
        cancelled.cancel();
        tokio::time::sleep(CUT_OFF_TIME).await;
        outcome
    }

    async fn lost(&self) {
        match &self.lease {
            Some(lease) => lease.keep(&self.crew).await,
            None => std::future::pending().await,
        }
    }

    fn tell(&self, outcome: &Outcome) {
        let schedule = &*self.job.name;
        match outcome {
            Outcome::Done => tracing::debug!(schedule, "the schedule ran"),
            Outcome::Failed(error) => tracing::warn!(schedule, error, "the run failed; the next tick runs again"),
            Outcome::Panicked(error) => tracing::error!(schedule, error, "the run panicked; the next tick runs again"),
            Outcome::TimedOut => {
                tracing::warn!(schedule, timeout = ?self.job.timeout(), "the run was not done in its time");
            }
            Outcome::Cut => tracing::warn!(schedule, "the run was ended, because the service stops"),
            Outcome::LeaseLost => tracing::warn!(schedule, "the run was ended, because its lease is lost"),
        }
    }
}

impl Lease {
    /// What is asked for now.
    pub(super) fn claim(&self, crew: &Crew) -> Claim {
        Claim { now: crew.wall.now(), ..self.claim.clone() }
    }

    /// Renews the lease; ends when it is lost, so early that the run has ended before another can have it.
    async fn keep(&self, crew: &Crew) {
        let part = self.claim.lease / RENEWALS;
        let mut renewed = self.asked;
        while let Ok(Some(asked)) = timeout_at(renewed + part * (RENEWALS - 1), self.renewed(part, crew)).await {
            renewed = asked;
        }
    }

    /// Waits, then asks until there is an answer; gives when it asked, unless the lease is another's.
    async fn renewed(&self, wait: Duration, crew: &Crew) -> Option<Instant> {
        tokio::time::sleep(wait).await;
        for failures in 1.. {
            let asked = crew.instant();
            match lease::renew(&*self.store, &self.claim(crew)).await {
                Ok(held) => return held.then_some(asked),
                Err(_) => tokio::time::sleep(backoff(failures, &crew.dice)).await,
            }
        }
        None
    }

    /// Notes that the tick was run. Where the store does not answer, another replica may run it again.
    async fn finish(&self, crew: &Crew) {
        for failures in 1..=FINISHES {
            match lease::finish(&*self.store, &self.claim(crew)).await {
                Ok(_) => return,
                Err(_) => tokio::time::sleep(backoff(failures, &crew.dice)).await,
            }
        }
        let schedule = &*self.claim.schedule;
        tracing::warn!(schedule, "the leases do not answer: that a tick was run is noted nowhere, it may be run again");
    }
}

/// The text in one line, at most so long.
fn shortened(text: &str) -> String {
    let mut text: String = text.chars().take(ERROR_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    while text.len() > ERROR_LIMIT {
        text.pop();
    }
    text
}

/// What the log says of a run that blocks its thread (L4).
struct Working {
    name: Arc<str>,
}

impl Blocking for Working {
    fn blocks(&self, so_far: Duration) {
        tracing::warn!(schedule = %self, ?so_far, "the run blocks its thread: give what takes long to `spawn_blocking`");
    }

    fn blocked(&self, in_all: Duration) {
        tracing::warn!(schedule = %self, ?in_all, "the run blocked its thread, and has let go of it");
    }
}

impl fmt::Display for Working {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
