//! What is known of an event that is not done, and what is told of it.

use std::time::SystemTime;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    records::queues::Kept,
    store::{Position, Recorded},
    transport::QueuePlan,
};

/// What is promised of a queue.
#[derive(Debug, Clone, Copy)]
pub(in crate::records) struct Rules {
    pub(super) ordered: bool,
    /// How often a handler is begun at most; none, if a key halts instead.
    pub(super) limit: Option<u32>,
}

impl Rules {
    pub(in crate::records) fn of(plan: &QueuePlan) -> Self {
        let attempts = u32::try_from(plan.retry_delays.len()).unwrap_or(u32::MAX).saturating_add(1);
        Self { ordered: plan.ordered, limit: (!plan.halts).then_some(attempts) }
    }
}

/// An event that is not done.
pub(super) struct Item {
    pub(super) key: Option<String>,
    pub(super) attempt: u32,
    pub(super) first: Option<SystemTime>,
    pub(super) redelivered: bool,
    /// Was it handed out for the first time after its row was written?
    pub(super) unnoted: bool,
    pub(super) place: Place,
    pub(super) since: Instant,
    /// As it was read, until it is handed out.
    pub(super) event: Option<Box<Recorded>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// May be handed out, or waits behind another one of its key.
    Waits,
    Delayed(Instant),
    /// On its way to be handed out, since then.
    Taken(Instant),
    /// Handed out, and taken then.
    Out(u64, Instant),
    /// Given up on, and no transaction has it yet.
    Dying,
}

impl Item {
    /// Since when it is taken or handed out.
    pub(super) fn out_since(&self) -> Option<Instant> {
        match self.place {
            Place::Taken(since) | Place::Out(_, since) => Some(since),
            Place::Waits | Place::Delayed(_) | Place::Dying => None,
        }
    }

    /// Was it handed out since its row was written, and not given up on?
    pub(super) fn is_seen_since(&self) -> bool {
        self.unnoted && self.place != Place::Dying
    }

    pub(super) fn is_taken(&self) -> bool {
        matches!(self.place, Place::Taken(_))
    }
}

/// What is on its way to be handed out.
pub(in crate::records) struct Taken {
    pub(in crate::records) position: Position,
    pub(in crate::records) event: Option<Box<Recorded>>,
    /// Was it begun as often as it may be?
    pub(in crate::records) is_over: bool,
}

/// What is handed out.
#[derive(Clone)]
pub(in crate::records) struct Handed {
    pub(in crate::records) tag: u64,
    pub(in crate::records) attempt: u32,
    pub(in crate::records) redelivered: bool,
    pub(in crate::records) first: Option<SystemTime>,
    pub(in crate::records) lost: CancellationToken,
}

/// What one transaction notes.
pub(in crate::records) struct Batch {
    pub(in crate::records) number: u64,
    pub(in crate::records) done: Vec<Position>,
    pub(in crate::records) kept: Vec<Kept>,
    pub(in crate::records) to: Position,
}

/// Somebody else may have the event.
pub(in crate::records) struct Lost;

/// When something takes effect.
pub(in crate::records) enum Effect {
    /// At once.
    Now,
    /// Once this transaction is done, unless the queue is lost before.
    After(u64, CancellationToken),
}
