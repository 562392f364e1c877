//! The consuming end of one queue, and the lease on what it hands out.

use std::{pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    desk::{Desk, Going},
    opening::{Opened, Opening},
    state::{Handed, Taken, before},
};
use crate::{
    envelope::{MessageId, Sealed},
    error::told,
    store::{Position, Query, Recorded, Store, StoreError},
    time::{Dice, backoff, until},
    transport::{
        Deliveries, Delivery, Lease, Reason, ReasonKind, SettleError, SettleErrorKind, Settlement, TransportError,
        TransportErrorKind,
    },
};

/// How many events are read at once.
const PAGE: usize = 256;
/// What is known of an event that its handlers were begun with, and no more.
const UNANSWERED: &str = "each process that had it ended, or lost the queue, before its handler had";

/// One consumer of a queue.
pub(super) struct Intake {
    pub(super) desk: Arc<Desk>,
    pub(super) store: Store,
    pub(super) opening: Opening,
    pub(super) query: Query,
    pub(super) poll: Duration,
    pub(super) dice: Dice,
    pub(super) failures: u32,
}

/// What a look at the store came to.
enum Read {
    /// Events came, or it has looked further.
    On,
    /// There is nothing after this place.
    Nothing(Position),
    /// The queue has no room for more, or is not this reader's.
    NotNow,
}

#[async_trait]
impl Deliveries for Intake {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        loop {
            match self.step(room.max(1)).await {
                Ok(found) if found.is_empty() => self.goes_on(),
                Ok(found) => {
                    self.goes_on();
                    return Ok(found);
                }
                Err(error) => self.failed(&error).await,
            }
            if self.desk.closed.is_cancelled() {
                return Err(closed());
            }
            if self.desk.ended.is_cancelled() {
                self.desk.lose();
                return Err(TransportError::new(TransportErrorKind::Unreachable, "the reader of the queue has ended"));
            }
        }
    }
}

impl Intake {
    /// Hands out what is there, or reads, or waits for a while.
    async fn step(&self, room: usize) -> Result<Vec<Delivery>, StoreError> {
        // Registered before looking, so that what comes after the look wakes us.
        let mut ready = pin!(self.desk.ready.notified());
        ready.as_mut().enable();
        if self.desk.closed.is_cancelled() {
            return Ok(Vec::new());
        }
        let going = self.desk.take(room);
        if !going.taken.is_empty() {
            return self.hand_out(going).await;
        }
        let read = self.read().await?;
        let earliest = self.desk.state().earliest();
        let later = async {
            match read {
                Read::On => {}
                // A store that cannot be read says so at the next look.
                Read::Nothing(after) => {
                    if let Ok(Err(_)) = timeout(self.poll, self.store.inner().later_than(after)).await {
                        tokio::time::sleep(self.poll).await;
                    }
                }
                Read::NotNow => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.desk.closed.cancelled() => {}
            () = self.desk.ended.cancelled() => {}
            () = ready => {}
            () = until(earliest) => {}
            () = later => {}
        }
        Ok(Vec::new())
    }

    async fn read(&self) -> Result<Read, StoreError> {
        let (after, lost) = {
            let state = self.desk.state();
            match &state.lost {
                Some(lost) if state.has_room() => (state.looked, lost.clone()),
                _ => return Ok(Read::NotNow),
            }
        };
        let page = self.store.inner().read_all(&self.query, after, PAGE).await?;
        let is_end = page.events.is_empty() && page.next <= after;
        let wanted: Vec<_> = page.events.into_iter().filter(|event| self.opening.wants(event)).collect();
        let mut state = self.desk.state();
        if !lost.is_cancelled() {
            state.arrive(wanted, page.next);
        }
        Ok(if is_end { Read::Nothing(after) } else { Read::On })
    }

    async fn hand_out(&self, mut going: Going<'_>) -> Result<Vec<Delivery>, StoreError> {
        if !going.may_begin().await {
            return Ok(Vec::new());
        }
        let mut opened = Vec::with_capacity(going.taken.len());
        for taken in &mut going.taken {
            opened.push(self.open(taken).await?);
        }
        let mut found = Vec::with_capacity(opened.len());
        for (Taken { position, is_over, .. }, event) in going.taken.drain(..).zip(opened) {
            if !is_over && event.is_none() {
                self.pass_by(position);
                continue;
            }
            let handed = self.desk.state().hand_out(position);
            // Lost meanwhile, it is somebody else's.
            let Some(handed) = handed else { continue };
            match event {
                Some((sealed, id)) if !is_over => found.push(self.delivery(position, handed, sealed, id)),
                _ => self.give_up(position, handed),
            }
        }
        Ok(found)
    }

    /// The event as a message; none, if there is nothing to be handled.
    async fn open(&self, taken: &mut Taken) -> Result<Option<(Sealed, Option<MessageId>)>, StoreError> {
        if taken.is_over {
            // Already that may be what ends the process.
            return Ok(None);
        }
        let event = match taken.event.take() {
            Some(event) => Some(*event),
            None => recorded(&self.store, taken.position).await?,
        };
        let Some(event) = event else { return Ok(None) };
        let id = event.entry.message.head.id.clone();
        Ok(match self.opening.open(event).await? {
            Opened::Sealed(sealed) => Some((sealed, id)),
            Opened::Erased => None,
        })
    }

    fn delivery(&self, position: Position, handed: Handed, sealed: Sealed, id: Option<MessageId>) -> Delivery {
        let Handed { tag, attempt, redelivered, first, lost } = handed;
        let lease = EventLease { desk: self.desk.clone(), position, tag, lost, settled: false };
        let mut delivery = Delivery::new(sealed, attempt, lease);
        (delivery.redelivered, delivery.id, delivery.first_delivered) = (redelivered, id, first);
        delivery
    }

    fn pass_by(&self, position: Position) {
        tracing::warn!(%position, "not handled: the event is not there any more, or its subject was forgotten");
        self.desk.state().pass_by(position);
        self.desk.work.notify_one();
    }

    /// Nobody lived to say what became of it, as often as it may be tried (X6).
    fn give_up(&self, position: Position, Handed { tag, attempt, first, .. }: Handed) {
        let (queue, now) = (self.opening.queue(), self.desk.clock.now());
        let mut reason = Reason::new(ReasonKind::DeliveryLimit, UNANSWERED, attempt, first.unwrap_or(now));
        (reason.queue, reason.last) = (queue.to_owned(), now);
        // Lost meanwhile, whoever has it now does so.
        if self.desk.settle_now(position, tag, Settlement::DeadLetter(reason)).is_ok() {
            tracing::error!(queue, %position, attempts = attempt, "{UNANSWERED}: given up; kept as a dead letter");
        }
    }

    fn goes_on(&mut self) {
        if std::mem::take(&mut self.failures) > 0 {
            self.desk.has_trouble(None);
        }
    }

    async fn failed(&mut self, error: &StoreError) {
        self.failures += 1;
        let (reason, wait) = (told(error), backoff(self.failures, &self.dice));
        tracing::warn!(reason, ?wait, "cannot read what is recorded; will try again");
        self.desk.has_trouble(Some(format!("what is recorded cannot be read: {reason}")));
        tokio::select! {
            biased;
            () = self.desk.closed.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.desk.left.cancel();
        self.desk.work.notify_one();
    }
}

/// One delivery's hold on its event.
struct EventLease {
    desk: Arc<Desk>,
    position: Position,
    tag: u64,
    lost: CancellationToken,
    settled: bool,
}

#[async_trait]
impl Lease for EventLease {
    async fn settle(mut self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        self.settled = true;
        let settled = self.desk.settle(self.position, self.tag, settlement).await;
        settled.map_err(|_| SettleError::new(SettleErrorKind::Lost, "the delivery is no longer ours to settle"))
    }

    fn lost(&self) -> Option<&CancellationToken> {
        Some(&self.lost)
    }
}

impl Drop for EventLease {
    fn drop(&mut self) {
        if !self.settled {
            // Lost means that it is somebody else's already.
            let _ = self.desk.settle_now(self.position, self.tag, Settlement::Release);
        }
    }
}

/// The event at this position.
pub(super) async fn recorded(store: &Store, position: Position) -> Result<Option<Recorded>, StoreError> {
    let page = store.inner().read_all(&Query::all(), before(position), 1).await?;
    Ok(page.events.into_iter().find(|event| event.position == position))
}

fn closed() -> TransportError {
    TransportError::new(TransportErrorKind::Closed, "what is recorded is not read any more: the transport was closed")
}
