//! One message that SQS has handed to us.

use std::{sync::Arc, time::SystemTime};

use tokio_util::sync::CancellationToken;

use super::{
    hold::Hold,
    intake::Intake,
    letter::{self, Arrived, Post, open},
};
use crate::transport::Delivery;

/// A message with what is known of its past.
pub(super) struct Parcel {
    pub(super) post: Post,
    arrived: Arrived,
    /// Its number among those that are held.
    pub(super) number: u64,
    pub(super) lost: CancellationToken,
    /// What stays in order together.
    pub(super) key: Option<String>,
    /// How often it was tried since it came.
    pub(super) tries: u32,
}

impl Parcel {
    pub(super) fn new(post: Post, (number, lost): (u64, CancellationToken), ordered: bool) -> Self {
        let arrived = open(&post);
        // Where SQS's own redrive has put it back, it came in a group of its own.
        let key = letter::key(&post).filter(|_| ordered);
        Self { post, arrived, number, lost, key, tries: 0 }
    }

    /// Until when nobody may handle it, if that is not yet.
    pub(super) fn early(&self, now: SystemTime) -> Option<std::time::Duration> {
        self.arrived.not_before?.duration_since(now).ok().filter(|early| !early.is_zero())
    }

    /// How often it came before its time. SQS counts that as it counts what was given back untried.
    fn waited(&self) -> u32 {
        let came = self.post.first.zip(self.arrived.not_before);
        u32::from(came.is_some_and(|(first, time)| first < time))
    }

    /// As the consumer gets it.
    pub(super) fn into_delivery(self, intake: &Arc<Intake>) -> Delivery {
        let attempt = self.post.attempt.saturating_sub(self.waited()).max(1) + self.tries;
        let (sealed, id, first) = (self.arrived.sealed.clone(), self.arrived.id.clone(), self.post.first);
        let redelivered = self.post.attempt > 1 || self.tries > 0;
        let mut delivery = Delivery::new(sealed, attempt, Hold::new(self, intake.clone()));
        (delivery.id, delivery.first_delivered, delivery.redelivered) = (id, first, redelivered);
        delivery
    }
}
