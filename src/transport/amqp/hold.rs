//! Our hold on one message, and how it is let go: acked, given back, or copied elsewhere and then acked.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    copies::{self, Copy},
    parcel::Parcel,
};
use crate::{
    failpoint::{self, Point, Struck},
    transport::{Lease, PublishErrorKind, Reason, SettleError, SettleErrorKind, Settlement},
};

/// How long what the dead-letter queue refused rests, before it is tried again (X4).
const REST: Duration = Duration::from_secs(1);

/// The lease on a delivery.
pub(super) struct Hold(Option<Parcel>);

impl Hold {
    pub(super) fn new(parcel: Parcel) -> Self {
        Self(Some(parcel))
    }

    fn parcel(&self) -> &Parcel {
        self.0.as_ref().expect("a hold is let go of once")
    }

    async fn done(&mut self) -> Result<(), SettleError> {
        let done = Leaving(self.0.take().expect("a hold is let go of once"));
        done.0.intake.acks.ack(done.0.tag).await
    }

    /// Gives the message back: to its place here, or to the queue.
    fn give_back(&mut self) -> Result<(), SettleError> {
        let Some(mut parcel) = self.0.take() else { return Ok(()) };
        parcel.redelivered = true;
        match parcel.intake.station.waits_in_place() {
            true => parcel.wait(Duration::ZERO),
            false => parcel.intake.acks.give_back(parcel.tag),
        }
    }

    /// Has the message wait for its next attempt.
    async fn put_off(&mut self, after: Duration) -> Result<(), SettleError> {
        if !self.parcel().intake.station.waits_in_place() {
            failpoint::hit(Point::RetryBeforeCopy).map_err(cut_short)?;
            let mut progress = self.parcel().progress;
            progress.attempt += 1;
            match self.set_aside(Copy::Later { progress, after }).await {
                Ok(()) => {
                    failpoint::hit(Point::RetryAfterCopy).map_err(cut_short)?;
                    return self.done().await;
                }
                Err(error) => {
                    let (queue, error) = (&self.parcel().intake.station.name, error.with_causes());
                    tracing::warn!(queue, error, "a retry cannot be set aside; the message waits where it is");
                }
            }
        }
        let mut parcel = self.0.take().expect("a hold is let go of once");
        parcel.progress.attempt += 1;
        parcel.redelivered = true;
        parcel.wait(after)
    }

    async fn keep(&mut self, reason: Reason) -> Result<(), SettleError> {
        failpoint::hit(Point::DeadLetterBeforeCopy).map_err(cut_short)?;
        let Err(error) = self.set_aside(Copy::Dead(reason)).await else {
            failpoint::hit(Point::DeadLetterAfterCopy).map_err(cut_short)?;
            return self.done().await;
        };
        self.rest().await?;
        Err(error)
    }

    /// The message stays, and makes room for others while it waits.
    async fn rest(&mut self) -> Result<(), SettleError> {
        let progress = self.parcel().progress;
        let aside = !self.parcel().intake.station.waits_in_place()
            && self.set_aside(Copy::Later { progress, after: REST }).await.is_ok();
        if aside {
            return self.done().await;
        }
        let parcel = self.0.take().expect("a hold is let go of once");
        parcel.wait(REST)
    }

    /// Has a message that came too early wait on: beside the queue; here for a moment, if it cannot be set aside.
    pub(super) async fn postpone(mut self, after: Duration) {
        let progress = self.parcel().progress;
        let postponed = match self.set_aside(Copy::Later { progress, after }).await {
            Ok(()) => self.done().await,
            Err(error) => {
                let (queue, error) = (&self.parcel().intake.station.name, error.with_causes());
                tracing::warn!(queue, error, "a message that came too early cannot be set aside; it waits where it is");
                self.0.take().expect("a hold is let go of once").wait(after.min(REST))
            }
        };
        // Lost, it comes again, too early as before.
        let _ = postponed;
    }

    async fn set_aside(&self, copy: Copy) -> Result<(), SettleError> {
        let parcel = self.parcel();
        parcel.intake.acks.check()?;
        copies::make(parcel, copy).await.map_err(|error| {
            if error.kind() == PublishErrorKind::Unroutable {
                // Somebody deleted the queue that it was for. The message rests meanwhile.
                parcel.intake.setup.lifecycle.spawn(parcel.intake.clone().mend());
            }
            let text = "RabbitMQ did not take the copy, so the message stays";
            SettleError::new(SettleErrorKind::CopyRefused, text).caused_by(error)
        })
    }
}

#[async_trait]
impl Lease for Hold {
    async fn settle(mut self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        match settlement {
            Settlement::Ack => self.done().await,
            Settlement::Retry { after } => self.put_off(after).await,
            Settlement::Release => self.give_back(),
            Settlement::DeadLetter(reason) => self.keep(reason).await,
        }
    }

    fn lost(&self) -> Option<&CancellationToken> {
        self.0.as_ref().map(|parcel| &parcel.intake.lost)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Lost means that the broker has taken it back already.
        let _ = self.give_back();
    }
}

/// A parcel that lets go of its key at its end, also when whoever settles it is dropped.
struct Leaving(Parcel);

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(key) = &self.0.key {
            self.0.intake.shelf.leave(key);
        }
    }
}

impl Parcel {
    /// Waits where it is; its key with it.
    fn wait(self, after: Duration) -> Result<(), SettleError> {
        if let Err(lost) = self.intake.acks.check() {
            drop(Leaving(self));
            return Err(lost);
        }
        let until = self.intake.setup.clock.instant() + after;
        self.intake.shelf.clone().hold(self, until);
        Ok(())
    }

    /// How long it must still wait, if it came too early. Whoever else wrote that, it is not for ever (R5).
    pub(super) fn too_early(&self, now: SystemTime) -> Option<Duration> {
        let early = self.progress.not_before?.duration_since(now).ok().filter(|early| !early.is_zero())?;
        Some(early.min(copies::longest(&self.intake.station.steps())))
    }
}

fn cut_short(struck: Struck) -> SettleError {
    SettleError::new(SettleErrorKind::CopyRefused, "the copy was cut short").caused_by(struck)
}
