//! Our hold on one message, and how it is let go: deleted, shown to others again, or copied elsewhere and then deleted.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{intake::Intake, letter, parcel::Parcel, upkeep};
use crate::{
    failpoint::{self, Point, Struck},
    transport::{Lease, PublishErrorKind, Reason, SettleError, SettleErrorKind, Settlement},
};

/// How long what the dead-letter queue refused rests at least and at most, before it is tried again (X4).
const REST: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// The time for a dead letter to be stored.
const COPY_TIME: Duration = Duration::from_millis(9_500);

/// The lease on a delivery.
pub(super) struct Hold {
    parcel: Option<Parcel>,
    intake: Arc<Intake>,
}

impl Hold {
    pub(super) fn new(parcel: Parcel, intake: Arc<Intake>) -> Self {
        Self { parcel: Some(parcel), intake }
    }

    fn parcel(&self) -> &Parcel {
        self.parcel.as_ref().expect("a hold is let go of once")
    }

    fn done(&mut self) -> Result<(), SettleError> {
        let parcel = self.parcel.take().expect("a hold is let go of once");
        // First, for what is being deleted is not lost any more.
        let deleted = self.intake.delete(&parcel);
        self.intake.let_go(&parcel);
        deleted
    }

    /// Gives the message back: to its place here, where its key waits for it, or to the queue.
    fn give_back(&mut self, after: Duration) -> Result<(), SettleError> {
        let Some(parcel) = self.parcel.take() else { return Ok(()) };
        let parcel = match self.intake.plan.ordered && !parcel.lost.is_cancelled() {
            true => self.intake.shelf.hold(parcel, self.intake.holding.setup.clock.instant() + after),
            false => Some(parcel),
        };
        let Some(parcel) = parcel else { return Ok(()) };
        // First, for what waits behind it may go back with it.
        let shown = self.intake.show(&parcel, after);
        self.intake.let_go(&parcel);
        shown
    }

    /// Has the message wait for its next attempt.
    fn put_off(&mut self, after: Duration) -> Result<(), SettleError> {
        if let Some(parcel) = self.parcel.as_mut().filter(|_| self.intake.plan.ordered) {
            parcel.tries += 1;
        }
        self.give_back(after)
    }

    /// Twice as long each time: SQS counts the receives, and puts aside itself, without a reason, what has too many.
    fn rest(&self) -> Duration {
        let [least, most] = REST;
        let doublings = if self.intake.plan.ordered { 0 } else { self.parcel().post.attempt.min(16) };
        (least * (1 << doublings)).min(most)
    }

    async fn keep(&mut self, reason: Reason) -> Result<(), SettleError> {
        failpoint::hit(Point::DeadLetterBeforeCopy).map_err(cut_short)?;
        let intake = &self.intake;
        intake.check(self.parcel())?;
        let copy = letter::buried(&self.parcel().post, &reason);
        if let Err(error) = intake.outlet.put(&intake.plan.dead_letters, (copy, Duration::ZERO), COPY_TIME).await {
            if error.kind() == PublishErrorKind::Unroutable {
                // Somebody deleted the queue that it was for. The message rests meanwhile.
                let setup = intake.holding.setup.clone();
                let _ = setup.clone().spawn(upkeep::mend(setup, intake.plan.dead_letters.clone()));
            }
            self.give_back(self.rest())?;
            let text = "SQS did not take the copy, so the message stays";
            return Err(SettleError::new(SettleErrorKind::CopyRefused, text).caused_by(error));
        }
        failpoint::hit(Point::DeadLetterAfterCopy).map_err(cut_short)?;
        self.done()
    }
}

#[async_trait]
impl Lease for Hold {
    async fn settle(mut self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        match settlement {
            Settlement::Ack => self.done(),
            Settlement::Retry { after } => self.put_off(after),
            Settlement::Release => self.give_back(Duration::ZERO),
            Settlement::DeadLetter(reason) => self.keep(reason).await,
        }
    }

    fn lost(&self) -> Option<&CancellationToken> {
        self.parcel.as_ref().map(|parcel| &parcel.lost)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Lost means that others have it already.
        let _ = self.give_back(Duration::ZERO);
    }
}

fn cut_short(struck: Struck) -> SettleError {
    SettleError::new(SettleErrorKind::CopyRefused, "the copy was cut short").caused_by(struck)
}
