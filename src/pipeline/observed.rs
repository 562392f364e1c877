//! What observers are told of a delivery.

use std::time::Duration;

use tokio::time::Instant;

use super::{Opened, Pipeline};
use crate::{
    publisher::Trace,
    telemetry::{End, Fact, Settled, Taken},
    transport::{Delivery, ReasonKind},
};

/// A delivery in work; dropped, it is out of it.
pub(super) struct Observed<'a> {
    pipeline: &'a Pipeline,
    begun: Instant,
    attempt: u32,
    event: Option<&'static str>,
    waited: Option<Duration>,
    trace: Trace,
    end: End,
    reason: Option<ReasonKind>,
}

impl Pipeline {
    /// The delivery is in work from now on; none, if nobody looks.
    pub(super) fn observed(&self, delivery: &Delivery, opened: &Opened) -> Option<Observed<'_>> {
        if !self.observers.any() {
            return None;
        }
        self.observers.tell(&Fact::Taken(Taken { system: self.system, queue: &self.queue }));
        let (begun, opened) = (self.clock.instant(), opened.as_ref().ok());
        let published = opened.and_then(|known| known.message.head.time);
        Some(Observed {
            pipeline: self,
            begun,
            attempt: delivery.attempt,
            event: opened.map(|known| known.route.contract.name),
            // A clock that is ahead of ours makes no wait that is negative.
            waited: published.map(|time| self.clock.wall(begun).duration_since(time).unwrap_or_default()),
            trace: opened.map(|known| Trace::of(&known.message.head)).unwrap_or_default(),
            // Dropped before anything else is known, it comes back.
            end: End::Released,
            reason: None,
        })
    }
}

impl Observed<'_> {
    /// What became of it, is known.
    pub(super) fn ended(&mut self, end: End, reason: Option<ReasonKind>) {
        (self.end, self.reason) = (end, reason);
    }
}

impl Drop for Observed<'_> {
    fn drop(&mut self) {
        let Pipeline { observers, clock, system, queue, .. } = self.pipeline;
        observers.tell(&Fact::Settled(Settled {
            system,
            queue,
            event: self.event,
            end: self.end,
            reason: self.reason.map(ReasonKind::as_str),
            took: clock.instant().saturating_duration_since(self.begun),
            waited: self.waited,
            attempt: self.attempt,
            trace: self.trace.id(),
        }));
    }
}
