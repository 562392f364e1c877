//! The loop that publishes what an outbox holds: takes rows for a while, sends them, and tells what became of each.
//!
//! Rows of one lane go one after the other, lanes at once. Any number of relays may share an outbox.

mod batch;
mod forgetter;
mod options;

pub(crate) use forgetter::Forgetter;
pub use options::RelayOptions;

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use self::batch::Batch;
use crate::{
    error::told,
    failpoint::{self, Point},
    health::{Light, Status},
    outbox::{Claim, Claimed, DatabaseError, DatabaseErrorKind, Fate, Outbox},
    publisher::Line,
    time::{Dice, Wall, backoff},
};

/// The longest sleep while delayed messages wait.
const LOOK: Duration = Duration::from_secs(10);

/// Publishes what one outbox holds.
pub(crate) struct Relay {
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) options: RelayOptions,
    /// Who it is among all relays.
    pub(crate) id: String,
    pub(crate) line: Line,
    pub(crate) wall: Wall,
    pub(crate) dice: Dice,
    pub(crate) draining: CancellationToken,
    pub(crate) light: Light,
}

/// What a look into the outbox came to.
enum Looked {
    /// Nothing may go now; the next delayed one may then, if there is one.
    Nothing(Option<Duration>),
    /// Some was sent or refused: there may be more.
    Some,
    /// The broker is away, for this reason.
    Away(String),
}

impl Relay {
    /// Publishes until the service drains; stops between rows (S3).
    pub(crate) async fn run(self) {
        let (mut failures, mut seen) = (0, 0);
        while !self.draining.is_cancelled() {
            let looked = self.look().await;
            let wait = self.judge(looked, &mut failures);
            let committed = tokio::select! {
                biased;
                () = self.draining.cancelled() => return,
                committed = self.wait(wait, seen, failures > 0) => committed,
            };
            seen = committed.unwrap_or(seen);
        }
    }

    /// How long to wait, unless something is committed.
    fn judge(&self, looked: Result<Looked, DatabaseError>, failures: &mut u32) -> Duration {
        let reason = match looked {
            Ok(looked @ (Looked::Nothing(_) | Looked::Some)) => {
                self.light.up();
                *failures = 0;
                let Looked::Nothing(due) = looked else { return Duration::ZERO };
                // A clock may be put forward meanwhile, so that nobody sleeps for long.
                return due.map_or(self.options.poll, |due| due.min(self.options.poll).min(LOOK));
            }
            Ok(Looked::Away(reason)) => reason,
            Err(error) => told(&error),
        };
        *failures += 1;
        let wait = backoff(*failures, &self.dice);
        self.light.set(Status::degraded(format!("nothing is published from the outbox: {reason}")));
        tracing::warn!(outbox = self.outbox.name(), reason, ?wait, "cannot publish from the outbox; will try again");
        wait
    }

    /// Waits so long; less, if something was committed, unless that does not help.
    async fn wait(&self, longest: Duration, seen: u64, whatever: bool) -> Option<u64> {
        if longest.is_zero() {
            return None;
        }
        if whatever {
            tokio::time::sleep(longest).await;
            return None;
        }
        tokio::time::timeout(longest, self.outbox.later_than(seen)).await.ok()
    }

    async fn look(&self) -> Result<Looked, DatabaseError> {
        let claim = Claim::new(&*self.id, self.options.batch, self.options.hold, self.wall.now());
        let begun = self.line.clock.instant();
        let taken = self.outbox.take(&claim).await?;
        if taken.is_empty() {
            return self.outbox.next_due(&claim).await.map(Looked::Nothing);
        }
        passed(Point::OutboxAfterClaim)?;
        let (fates, away) = self.send(taken, begun).await;
        passed(Point::OutboxAfterPublish)?;
        let settled = Claim { now: self.wall.now(), ..claim };
        self.outbox.settle(&settled, &fates).await?;
        passed(Point::OutboxAfterMark)?;
        Ok(away.map_or(Looked::Some, Looked::Away))
    }

    async fn send(&self, taken: Vec<Claimed>, begun: tokio::time::Instant) -> (Vec<(u64, Fate)>, Option<String>) {
        let batch = Batch::new(&self.line, &self.options, &self.draining, begun);
        batch.send(taken).await
    }
}

/// A failure at this point looks as if the database had not answered.
fn passed(point: Point) -> Result<(), DatabaseError> {
    failpoint::hit(point).map_err(|struck| {
        DatabaseError::new(DatabaseErrorKind::Unreachable, "the relay was cut short").caused_by(struck)
    })
}
