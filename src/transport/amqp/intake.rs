//! The consuming end of one queue.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use lapin::{Consumer, message::Delivery as Arrival, options::BasicCancelOptions};
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    acks::Acks,
    arrivals::Arrivals,
    fault::answer,
    hold::Hold,
    link::closed,
    names,
    outlet::Outlet,
    parcel::Parcel,
    properties,
    setup::Setup,
    shelf::Shelf,
    station::{Lifetime, Station},
    topology,
    wire::{self, Wire},
};
use crate::transport::{Deliveries, Delivery, TransportError};

/// What the parcels of one consumer share.
pub(super) struct Intake {
    pub(super) station: Station,
    pub(super) acks: Acks,
    pub(super) shelf: Arc<Shelf>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) setup: Arc<Setup>,
    /// Which of the shelf's readers this is.
    pub(super) reader: u64,
    /// Set once the channel is gone, and with it the hold on its messages.
    pub(super) lost: CancellationToken,
    /// Those that are not settled.
    pub(super) parcels: TaskTracker,
    /// The connection lives as long as its channels are in use.
    pub(super) wire: Arc<Wire>,
    /// Held while the queues around this one are declared again, where they are ours to declare.
    pub(super) mending: Option<Mutex<()>>,
}

impl Intake {
    /// Declares again what was deleted around the queue; once at a time.
    pub(super) async fn mend(self: Arc<Self>) {
        let Some(Ok(_alone)) = self.mending.as_ref().map(Mutex::try_lock) else { return };
        let queue = &self.station.name;
        let declared = async {
            let channel = self.wire.channel().await?;
            topology::declare(&channel, &self.station, Lifetime::Durable).await?;
            wire::close(&channel).await;
            Ok::<_, TransportError>(())
        };
        match declared.await {
            Ok(()) => {
                tracing::warn!(queue, "the queues around it are declared again; what the deleted one held is lost")
            }
            Err(error) => tracing::warn!(queue, %error, "the queues around it cannot be declared again"),
        }
    }
}

/// One consumer of a queue.
pub(super) struct QueueDeliveries {
    pub(super) intake: Arc<Intake>,
    pub(super) arrivals: Arrivals<Consumer>,
    pub(super) closed: CancellationToken,
}

#[async_trait]
impl Deliveries for QueueDeliveries {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let mut ready = Vec::new();
        loop {
            if self.closed.is_cancelled() {
                return Err(closed());
            }
            if self.intake.lost.is_cancelled() {
                return Err(self.over().await);
            }
            self.take_ready(room.max(1), &mut ready)?;
            if !ready.is_empty() {
                return Ok(ready);
            }
            let arrived = tokio::select! {
                biased;
                () = self.closed.cancelled() => None,
                () = self.intake.shelf.changed() => None,
                arrived = self.arrivals.next() => Some(arrived?),
            };
            ready.extend(arrived.and_then(|arrival| self.arrive(arrival)));
        }
    }
}

impl QueueDeliveries {
    /// The channel is gone, and the broker sends again what came on it: nothing of that is handed out, or it would overtake
    /// what a handler of its key was told to leave (O4). Why it is gone.
    async fn over(&mut self) -> TransportError {
        loop {
            if let Err(end) = self.arrivals.next().await {
                return end;
            }
        }
    }

    /// Takes what needs no waiting. What was taken before the end is handed out before that is told.
    fn take_ready(&mut self, room: usize, ready: &mut Vec<Delivery>) -> Result<(), TransportError> {
        // What rests here is no longer ours then.
        self.arrivals.ended()?;
        let (now, wall) = (self.intake.setup.clock.instant(), self.intake.setup.clock.now());
        while ready.len() < room {
            if let Some(parcel) = self.intake.shelf.take(now) {
                ready.extend(self.in_time(parcel, wall).map(|parcel| parcel.into_delivery(wall)));
                continue;
            }
            match self.arrivals.ready() {
                None => return Ok(()),
                Some(Ok(arrival)) => ready.extend(self.arrive(arrival)),
                Some(Err(_)) if !ready.is_empty() => return Ok(()),
                Some(Err(end)) => return Err(end),
            }
        }
        Ok(())
    }

    /// Takes in what came; gives it back if it can be handed out.
    fn arrive(&self, arrival: Arrival) -> Option<Delivery> {
        let queue = &self.intake.station.name;
        let parcel = Parcel::new(&self.intake, arrival);
        if let Some(refused) = properties::text(&parcel.properties, names::REFUSED) {
            let message_id = properties::id(&parcel.properties).map(tracing::field::display);
            tracing::warn!(queue, message_id, refused, "a message has lost headers");
        }
        let wall = self.intake.setup.clock.now();
        let arrived = self.in_time(parcel, wall).and_then(|parcel| self.intake.shelf.arrive(parcel));
        arrived.map(|parcel| parcel.into_delivery(wall))
    }

    /// Gives the parcel back, unless it came too early: then it goes aside for so long.
    fn in_time(&self, parcel: Parcel, wall: SystemTime) -> Option<Parcel> {
        match parcel.too_early(wall).filter(|_| !self.intake.station.waits_in_place()) {
            Some(early) => {
                self.intake.setup.lifecycle.spawn(Hold::new(parcel).postpone(early));
                None
            }
            None => Some(parcel),
        }
    }
}

impl Drop for QueueDeliveries {
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_ok() {
            let (intake, consumer) = (self.intake.clone(), self.arrivals.stream().clone());
            self.intake.setup.lifecycle.spawn(wind_down(intake, consumer, self.closed.clone()));
        }
    }
}

/// Gives back what was fetched and is not handed out.
async fn wind_down(intake: Arc<Intake>, mut consumer: Consumer, closed: CancellationToken) {
    let channel = intake.acks.channel.clone();
    if !intake.station.plan.ordered {
        let _ = answer("end a consumer", channel.basic_cancel(consumer.tag(), BasicCancelOptions::default())).await;
        while let Some(Some(Ok(arrival))) = consumer.next().now_or_never() {
            let _ = intake.acks.give_back(arrival.delivery_tag);
        }
    }
    for parcel in intake.shelf.end(intake.reader) {
        if !intake.station.plan.ordered {
            let _ = intake.acks.give_back(parcel.tag);
        }
    }
    // What is in order is given back all at once, by closing the channel after the last handler: while one still runs,
    // another instance must not get what comes after it.
    intake.parcels.close();
    tokio::select! {
        biased;
        () = intake.parcels.wait() => {}
        () = closed.cancelled() => {}
    }
    if channel.status().connected() {
        tokio::time::sleep_until(intake.acks.applied()).await;
    }
    wire::close(&channel).await;
}
