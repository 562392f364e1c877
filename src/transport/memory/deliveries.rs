//! The consuming end of one queue, and the lease on what it hands out.

use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use tokio::time::Instant;

use super::{
    broker::{Bell, Broker},
    connection::Connection,
    queue::Handed,
    routes::QueueId,
};
use crate::{
    time::until,
    transport::{
        Deliveries, Delivery, Lease, SettleError, SettleErrorKind, Settlement, TransportError, TransportErrorKind,
    },
};

/// One consumer of a queue.
pub(super) struct QueueDeliveries {
    pub(super) connection: Arc<Connection>,
    pub(super) queue: QueueId,
    pub(super) bell: Arc<Bell>,
}

#[async_trait]
impl Deliveries for QueueDeliveries {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let room = room.max(1);
        if let Looked::Found(deliveries) = self.take(room)? {
            return Ok(deliveries);
        }
        loop {
            // Registered before looking, so that what comes after the look wakes us.
            let mut ready = pin!(self.bell.ready.notified());
            ready.as_mut().enable();
            let earliest = match self.take(room)? {
                Looked::Found(deliveries) => return Ok(deliveries),
                Looked::Empty(earliest) => earliest,
            };
            tokio::select! {
                biased;
                () = ready => {}
                () = until(earliest) => {}
                () = self.connection.closed.cancelled() => {}
            }
        }
    }
}

impl Drop for QueueDeliveries {
    fn drop(&mut self) {
        self.connection.broker.lock().end_reading(self.queue);
    }
}

enum Looked {
    Found(Vec<Delivery>),
    Empty(Option<Instant>),
}

impl QueueDeliveries {
    fn take(&self, room: usize) -> Result<Looked, TransportError> {
        let Connection { broker, number, closed } = &*self.connection;
        let now = broker.now();
        let mut held = broker.lock();
        // Under the lock, so that closing gives back whatever was handed out before it.
        if closed.is_cancelled() {
            return Err(TransportError::new(TransportErrorKind::Closed, "the memory transport was closed"));
        }
        let (handed, wake) = held.state.take(self.queue, room, *number, now);
        let earliest = held.state.earliest(self.queue);
        drop(held);
        self.bell.ring(wake);
        if handed.is_empty() {
            return Ok(Looked::Empty(earliest));
        }
        Ok(Looked::Found(handed.into_iter().map(|handed| self.delivery(handed)).collect()))
    }

    fn delivery(&self, Handed { tag, entry }: Handed) -> Delivery {
        let (broker, bell) = (self.connection.broker.clone(), self.bell.clone());
        let lease = QueueLease { broker, bell, queue: self.queue, tag, settled: false };
        let mut delivery = Delivery::new(entry.message.sealed.clone(), entry.attempt, lease);
        delivery.redelivered = entry.redelivered;
        delivery.id = Some(entry.message.id.clone());
        delivery.first_delivered = entry.first.map(|first| self.connection.broker.clock.wall(first));
        delivery
    }
}

/// One delivery's hold on its message.
struct QueueLease {
    broker: Arc<Broker>,
    bell: Arc<Bell>,
    queue: QueueId,
    tag: u64,
    settled: bool,
}

impl QueueLease {
    fn tell(&mut self, settlement: Settlement) -> Result<(), SettleErrorKind> {
        self.settled = true;
        let now = self.broker.now();
        let mut held = self.broker.lock();
        let (settled, wake) = held.state.settle(self.queue, self.tag, settlement, now);
        let is_quiet = held.state.is_quiet();
        drop(held);
        self.bell.ring(wake);
        self.broker.tell_quiet(is_quiet);
        settled
    }
}

#[async_trait]
impl Lease for QueueLease {
    async fn settle(mut self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        self.tell(settlement).map_err(|kind| {
            let text = match kind {
                SettleErrorKind::CopyRefused => "the dead-letter queue is full, so the message stays",
                _ => "the delivery is no longer ours to settle",
            };
            SettleError::new(kind, text)
        })
    }
}

impl Drop for QueueLease {
    fn drop(&mut self) {
        if !self.settled {
            // Lost means that closing gave it back already.
            let _ = self.tell(Settlement::Release);
        }
    }
}
