//! Handing out: late, in another order, a few at a time, or not at all.

use std::collections::VecDeque;

use async_trait::async_trait;
use tegami::{
    event::Attributes,
    transport::{Deliveries, Delivery, QueuePlan, Transport, TransportError},
};
use tokio_util::sync::CancellationToken;

use super::{COPY, TAG, Wire, lease::Held, number, unreachable};
use crate::happened::{Handed, Happened, Tag};

/// The consuming end of one queue.
pub struct Unsteady {
    wire: Wire,
    queue: usize,
    inner: Box<dyn Deliveries>,
    cut: CancellationToken,
    /// Fetched and held back.
    back: VecDeque<Delivery>,
}

impl Unsteady {
    pub async fn open(wire: &Wire, queue: &QueuePlan) -> Result<Self, TransportError> {
        let known = wire.0.queues.iter().position(|name| *name == queue.name).expect("the model knows every queue");
        let inner = wire.up()?.consume(queue).await?;
        let cut = wire.line().cut.clone();
        Ok(Self { wire: wire.clone(), queue: known, inner, cut, back: VecDeque::new() })
    }

    /// What was held back, else what comes next, after a while.
    async fn fetch(&mut self, room: usize) -> Result<(), TransportError> {
        let world = self.wire.0.world.clone();
        if self.back.is_empty() {
            let more = self.inner.next(room).await.map_err(|_| unreachable())?;
            self.back.extend(more);
        }
        if world.strikes(20) {
            world.sleep(0..3_000).await;
        }
        Ok(())
    }

    fn hand_out(&self, inner: Delivery) -> Delivery {
        let world = &self.wire.0.world;
        let known = |name| number(&inner.sealed.attributes, name);
        let tag = Tag { id: world.number(), number: known("number"), copy: known(COPY) };
        let (attempt, redelivered) = (inner.attempt, inner.redelivered);
        let by = self.wire.0.by.clone();
        world.note(Happened::Handed(Handed { tag, by, queue: self.queue, attempt, redelivered }));
        let mut sealed = inner.sealed.clone();
        sealed.attributes = tagged(sealed.attributes, tag);
        let (id, first_delivered) = (inner.id.clone(), inner.first_delivered);
        let lost = CancellationToken::new();
        self.wire.line().held.insert(tag, (inner, lost.clone()));
        let mut outer = Delivery::new(sealed, attempt, Held::new(&self.wire, tag, lost));
        (outer.id, outer.redelivered, outer.first_delivered) = (id, redelivered, first_delivered);
        outer
    }
}

fn tagged(attributes: Attributes, tag: Tag) -> Attributes {
    attributes.with(TAG, tag.id)
}

#[async_trait]
impl Deliveries for Unsteady {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let (cut, world) = (self.cut.clone(), self.wire.0.world.clone());
        if world.strikes(5) {
            return Err(unreachable());
        }
        tokio::select! {
            biased;
            () = cut.cancelled() => return Err(unreachable()),
            fetched = self.fetch(room) => fetched?,
        }
        let count = match world.strikes(50) {
            true => world.draw(1..self.back.len().min(room) as u64 + 1) as usize,
            false => self.back.len().min(room),
        };
        let mut handed = Vec::with_capacity(count);
        for _ in 0..count {
            let place = if world.strikes(50) { world.draw(0..self.back.len() as u64) as usize } else { 0 };
            let next = self.back.remove(place).expect("there are as many");
            handed.push(self.hand_out(next));
        }
        Ok(handed)
    }
}
