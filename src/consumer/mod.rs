//! The loop that takes deliveries from one queue and starts a task for each.
//!
//! It never takes more than it has free slots for (B1), waits out a transport that is away (N2), and on drain
//! gives back what it has not started.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    error::{panic_text, told},
    failpoint::{self, Point, Struck},
    health::{Light, Status},
    lifecycle::Lifecycle,
    pipeline::Pipeline,
    time::{Dice, backoff},
    transport::{Deliveries, Delivery, QueuePlan, Transport, TransportError, TransportErrorKind},
};

/// How long a start waits for one queue.
const OPENING: Duration = Duration::from_secs(10);
/// The largest message, in kibibytes.
const LARGEST: usize = 1024;

/// Consumes one queue.
pub(crate) struct Consumer {
    pub(crate) queue: QueuePlan,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) pipeline: Arc<Pipeline>,
    /// One permit for each delivery that may be handled at once.
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) budget: Budget,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) dice: Dice,
    pub(crate) light: Light,
}

impl Consumer {
    /// Begins to consume; none if the transport is away for now.
    ///
    /// # Errors
    /// The transport will not let it consume, however often it is asked (N7).
    pub(crate) async fn open(&self) -> Result<Option<Box<dyn Deliveries>>, TransportError> {
        let opening = AssertUnwindSafe(self.transport.consume(&self.queue)).catch_unwind();
        match tokio::time::timeout(OPENING, opening).await {
            Ok(Ok(Ok(deliveries))) => {
                self.light.up();
                Ok(Some(deliveries))
            }
            Ok(Ok(Err(error))) if !error.is_transient() => Err(error),
            // `run` asks again, and tells what became of it.
            _ => Ok(None),
        }
    }

    /// Consumes until the service drains, at first what was opened.
    pub(crate) async fn run(self, mut opened: Option<Box<dyn Deliveries>>) {
        let draining = self.lifecycle.draining().clone();
        let mut failures = 0;
        while !draining.is_cancelled() {
            let error = tokio::select! {
                biased;
                () = draining.cancelled() => return,
                error = self.consume_until_it_fails(opened.take(), &mut failures) => error,
            };
            if error.kind() == TransportErrorKind::Closed {
                self.light.set(Status::down("the transport was closed"));
                return tracing::warn!(queue = self.queue.name, "the transport was closed; nothing more is consumed");
            }
            self.light.set(Status::down(told(&error)));
            failures += 1;
            let delay = backoff(failures, &self.dice);
            let queue = &self.queue.name;
            tracing::warn!(queue, error = error.with_causes(), ?delay, "cannot consume; will try again");
            tokio::select! {
                biased;
                () = draining.cancelled() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    /// A transport that panics has failed like one that answers with an error: a consumer is never silently gone (N7).
    async fn consume_until_it_fails(&self, opened: Option<Box<dyn Deliveries>>, failures: &mut u32) -> TransportError {
        let consuming = AssertUnwindSafe(self.consume(opened, failures)).catch_unwind().await;
        let ended = consuming.unwrap_or_else(|panic| {
            let text = format!("the transport {}", panic_text(&*panic));
            Err(TransportError::new(TransportErrorKind::Unreachable, text))
        });
        let Err(error) = ended;
        error
    }

    async fn consume(
        &self,
        opened: Option<Box<dyn Deliveries>>,
        failures: &mut u32,
    ) -> Result<Infallible, TransportError> {
        let mut deliveries = match opened {
            Some(opened) => opened,
            None => self.transport.consume(&self.queue).await?,
        };
        self.light.up();
        loop {
            self.step(&mut *deliveries).await?;
            *failures = 0;
        }
    }

    /// Takes what there is room for, and starts it.
    ///
    /// # Cancel safety
    /// What was taken and not started is dropped, which gives it back.
    async fn step(&self, deliveries: &mut dyn Deliveries) -> Result<(), TransportError> {
        let mut slots = self.free_slots().await;
        let room = slots.num_permits().min(self.budget.room());
        let taken = deliveries.next(room).await?;
        failpoint::hit(Point::ConsumeAfterReceive).map_err(cut_short)?;
        for delivery in taken {
            // A transport that hands out more than there was room for waits for it like the others.
            let slot = match slots.split(1) {
                Some(slot) => slot,
                None => self.slot().await,
            };
            let share = self.budget.take(delivery.sealed.body.len()).await;
            self.start(delivery, (slot, share));
        }
        Ok(())
    }

    async fn slot(&self) -> OwnedSemaphorePermit {
        self.slots.clone().acquire_owned().await.expect("the slots are never closed")
    }

    /// Waits for one free slot and takes all there are.
    async fn free_slots(&self) -> OwnedSemaphorePermit {
        let mut slots = self.slot().await;
        let more = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        if let Ok(free) = self.slots.clone().try_acquire_many_owned(more) {
            slots.merge(free);
        }
        slots
    }

    fn start(&self, delivery: Delivery, held: impl Send + 'static) {
        let pipeline = self.pipeline.clone();
        let lifecycle = self.lifecycle.clone();
        // Boxed, for a large future is moved more than once on its way into a task.
        self.lifecycle.spawn(Box::pin(async move {
            pipeline.process(delivery, &lifecycle).await;
            drop(held);
        }));
    }
}

fn cut_short(struck: Struck) -> TransportError {
    TransportError::new(TransportErrorKind::Unreachable, "what was received was lost").caused_by(struck)
}

/// The bytes of all deliveries in work, bounded over the whole service.
#[derive(Clone)]
pub(crate) struct Budget {
    kibibytes: Arc<Semaphore>,
    most: u32,
}

impl Budget {
    /// A budget of this many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        let most = u32::try_from(bytes / 1024).unwrap_or(u32::MAX).max(1);
        Self { kibibytes: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// How many of the largest deliveries there is room for, at least one.
    fn room(&self) -> usize {
        (self.kibibytes.available_permits() / LARGEST).max(1)
    }

    /// Waits until there is room for one more delivery of this size.
    async fn take(&self, bytes: usize) -> OwnedSemaphorePermit {
        let share = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, self.most);
        self.kibibytes.clone().acquire_many_owned(share).await.expect("the budget is never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b1_a_budget_gives_its_last_byte_and_not_one_beyond() {
        let budget = Budget::of(64 * 1024);
        let now = |bytes| budget.take(bytes).now_or_never();
        let most = now(63 * 1024).expect("there is room");
        let last = now(1024).expect("there is room to the limit");
        assert!(now(1).is_none() && now(0).is_none(), "even an empty delivery is one");
        drop(last);
        assert!(now(1025).is_none());
        drop(most);
        let large = now(64 * 1024 + 1).expect("larger than all: alone, but not never");
        assert!(now(0).is_none());
        drop(large);
        assert!(now(64 * 1024).is_some());
    }
}
