//! One message as it came from the broker, with the channel that it must be settled on.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use lapin::{BasicProperties, message::Delivery as Arrival};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    hold::Hold,
    intake::Intake,
    names,
    properties::{self, Progress},
};
use crate::{envelope::Sealed, transport::Delivery};

/// A message that is ours to settle.
pub(super) struct Parcel {
    pub(super) intake: Arc<Intake>,
    pub(super) tag: u64,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
    pub(super) progress: Progress,
    pub(super) redelivered: bool,
    /// What it must stay in order with, where that is promised.
    pub(super) key: Option<String>,
    /// The channel is not closed before this is gone.
    _open: TaskTrackerToken,
}

impl Parcel {
    pub(super) fn new(intake: &Arc<Intake>, arrival: Arrival) -> Self {
        let Arrival { delivery_tag, redelivered, properties, data, .. } = arrival;
        // Those without a key stay in order with each other.
        let key = intake.station.plan.ordered.then(|| properties::text(&properties, names::KEY).unwrap_or_default());
        let progress = Progress::of(&properties);
        let (intake, open) = (intake.clone(), intake.parcels.token());
        Self { intake, tag: delivery_tag, body: data.into(), properties, progress, redelivered, key, _open: open }
    }

    /// The delivery for the pipeline.
    pub(super) fn into_delivery(mut self, now: SystemTime) -> Delivery {
        let sealed = Sealed { body: self.body.clone(), attributes: properties::attributes(&self.properties) };
        let (attempt, redelivered, id) = (self.progress.attempt, self.redelivered, properties::id(&self.properties));
        // It may be anyone's word; nothing was handed out in the future.
        let first = self.progress.first.map_or(now, |first| first.min(now));
        self.progress.first = Some(first);
        let mut delivery = Delivery::new(sealed, attempt, Hold::new(self));
        delivery.redelivered = redelivered || attempt > 1;
        delivery.id = id;
        delivery.first_delivered = Some(first);
        delivery
    }
}
