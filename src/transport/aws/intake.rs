//! The consuming end of one queue: what is fetched is what there is room for, and no message waits for another.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    CLOSE_TIME,
    actions::Action,
    batch::Batches,
    completed::Completed,
    fault::{Fault, FaultKind},
    holding::Holding,
    letter::Post,
    outlet::Outlet,
    parcel::Parcel,
    queues::{ChangeDesk, DoneDesk, checksum},
    setup::closed,
    shelf::Shelf,
};
use crate::{
    time::backoff,
    transport::{Deliveries, Delivery, QueuePlan, SettleError, SettleErrorKind, TransportError},
};

/// The most messages of one receive.
const MOST: usize = 10;
/// The most receives at once.
const AT_ONCE: usize = 10;
/// How long a receive waits for more room, where it would fetch few.
const GATHER: Duration = Duration::from_millis(10);
/// The most messages of a queue in order that wait here, behind their keys or for their time.
const WAITING: usize = 300;
/// How much longer than it waits for messages a receive may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long, at the end, is waited for what was still being fetched.
const LAST: Duration = Duration::from_millis(1_500);

/// One queue, read.
pub(super) struct Intake {
    pub(super) plan: QueuePlan,
    pub(super) holding: Arc<Holding>,
    pub(super) shelf: Shelf,
    pub(super) completed: Completed,
    pub(super) outlet: Arc<Outlet>,
    pub(super) deletes: Batches<DoneDesk>,
    pub(super) changes: Batches<ChangeDesk>,
    /// How long SQS waits for a message before it says that there is none.
    pub(super) wait: Duration,
    /// Set once nobody reads any more.
    pub(super) ended: CancellationToken,
    /// Set once the transport is closed.
    pub(super) closed: CancellationToken,
    /// Set, where reading goes on no more for this reason.
    pub(super) failed: std::sync::Mutex<Option<Fault>>,
}

impl Intake {
    /// Deletes a message that is done. That it is gone is heard of later; no other waits for that.
    pub(super) fn delete(&self, parcel: &Parcel) -> Result<(), SettleError> {
        let done = self.holding.done(parcel.number).ok_or_else(lost)?;
        // Not before: what was lost is not acked, whatever its handler says by then (L2).
        if let Some(id) = &parcel.post.id {
            self.completed.note(id, parcel.number);
        }
        self.deletes.add(done);
        Ok(())
    }

    /// Shows a message to others after a while.
    pub(super) fn show(&self, parcel: &Parcel, after: Duration) -> Result<(), SettleError> {
        let change = self.holding.shown(parcel.number, after).ok_or_else(lost)?;
        self.changes.add(change);
        Ok(())
    }

    /// Hands out a parcel that is still ours.
    fn held(&self, now: Instant) -> Option<Parcel> {
        loop {
            let parcel = self.shelf.take(now)?;
            if !parcel.lost.is_cancelled() {
                return Some(parcel);
            }
            self.let_go(&parcel);
        }
    }

    /// Lets go of a parcel's place and key. Where others have it now, what waits behind it goes back to the queue, for it
    /// would overtake (O4).
    pub(super) fn let_go(&self, parcel: &Parcel) {
        let behind = match parcel.lost.is_cancelled() {
            true => self.shelf.forsake(parcel.key.as_deref()),
            false => self.shelf.leave(parcel.key.as_deref()),
        };
        self.give_up(behind);
    }

    /// Shows parcels to others that nobody here will have.
    fn give_up(&self, parcels: impl IntoIterator<Item = Parcel>) {
        for parcel in parcels {
            let _ = self.show(&parcel, Duration::ZERO);
        }
    }

    /// Is the message still ours?
    pub(super) fn check(&self, parcel: &Parcel) -> Result<(), SettleError> {
        if parcel.lost.is_cancelled() { Err(lost()) } else { Ok(()) }
    }

    /// Does everything that goes on between this queue and us, until nobody reads it and nothing of it is held.
    pub(super) async fn attend(self: Arc<Self>) {
        let work = async {
            let watching = self.holding.watch(|change| self.changes.add(change));
            tokio::join!(self.deletes.run(), self.changes.run(), watching)
        };
        let reading = async {
            self.read().await;
            tokio::select! {
                biased;
                () = self.holding.emptied() => {}
                () = self.unsettled() => self.holding.settled().await,
            }
        };
        tokio::select! {
            biased;
            () = reading => {}
            _ = work => {}
        }
    }

    /// Waits until nobody settles anything any more.
    async fn unsettled(&self) {
        self.closed.cancelled().await;
        sleep(CLOSE_TIME).await;
    }

    /// Fetches as long as somebody reads.
    async fn read(&self) {
        let (mut flying, mut asked, mut at_once, mut failures) = (FuturesUnordered::new(), 0, 1, 0_u32);
        let (mut since, mut not_before) = (None, None::<Instant>);
        while !self.ended.is_cancelled() {
            let now = self.holding.setup.clock.instant();
            let room = self.room().saturating_sub(asked);
            let full = room >= MOST.min(self.plan.concurrency) || self.shelf.in_work() == 0;
            let due = if full { now } else { *since.get_or_insert(now) + GATHER };
            let due = not_before.map_or(due, |not_before| due.max(not_before));
            if room > 0 && flying.len() < at_once && due <= now {
                let many = room.min(MOST);
                asked += many;
                since = None;
                flying.push(async move { (many, self.receive(many).await) });
                continue;
            }
            let may_ask = room > 0 && flying.len() < at_once;
            tokio::select! {
                biased;
                () = self.ended.cancelled() => break,
                Some((many, received)) = flying.next() => {
                    asked -= many;
                    match received {
                        Ok(came) => {
                            failures = 0;
                            at_once = next_at_once(at_once, came, many);
                        }
                        Err(fault) => {
                            failures += 1;
                            not_before = self.failed(fault, failures);
                        }
                    }
                }
                () = self.shelf.room.notified() => {}
                // Those whose deletes are on their way take room, too.
                () = self.holding.fewer(), if room == 0 => {}
                () = sleep_until(due), if may_ask => {}
            }
        }
        self.deletes.hurry();
        self.changes.hurry();
        // What SQS was about to hand out would be hidden for nobody; and what were given back would come here again.
        let rest = async { while flying.next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST, rest).await;
        self.give_up(self.shelf.end());
    }

    /// How many more messages there is room for.
    fn room(&self) -> usize {
        let slots = self.plan.concurrency.saturating_sub(self.shelf.in_work());
        let waiting = WAITING.max(self.plan.concurrency).saturating_sub(self.holding.count());
        slots.min(waiting)
    }

    /// Tells of what went wrong; when to ask again.
    fn failed(&self, fault: Fault, failures: u32) -> Option<Instant> {
        let queue = &self.plan.name;
        if fault.kind == FaultKind::Missing {
            self.holding.setup.directory.forget(queue);
            *self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fault);
            self.ended.cancel();
            return None;
        }
        let delay = backoff(failures, &self.holding.setup.dice);
        tracing::warn!(queue, %fault, ?delay, "cannot receive; will try again");
        Some(self.holding.setup.clock.instant() + delay)
    }

    /// Receives so many at most; how many came.
    async fn receive(&self, many: usize) -> Result<usize, Fault> {
        let (clients, url) = self.holding.way().await?;
        let seconds = |duration: Duration| i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
        let request = clients
            .sqs
            .receive_message()
            .queue_url(&url)
            .max_number_of_messages(i32::try_from(many).unwrap_or(i32::MAX))
            .wait_time_seconds(seconds(self.wait))
            .visibility_timeout(seconds(self.holding.visibility()))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let asked = self.holding.setup.clock.instant();
        let answer = clients.call(self.wait + PATIENCE, request.send()).await;
        let answer = answer.map_err(|fault| fault.needing(Action::ReceiveMessage, &url))?;
        let messages = answer.messages.unwrap_or_default();
        let came = messages.len();
        for message in messages {
            self.arrive(message, asked);
        }
        Ok(came)
    }

    fn arrive(&self, message: Message, asked: Instant) {
        let Some(receipt) = message.receipt_handle.clone() else { return };
        let body = message.body.as_deref().unwrap_or_default();
        if message.md5_of_body.as_deref().is_some_and(|said| said != checksum(body)) {
            let queue = &self.plan.name;
            return tracing::warn!(queue, "a message came with another checksum than it was sent with; it comes again");
        }
        if let Some(id) = message.message_id.as_deref()
            && let Some(number) = self.completed.number(id)
        {
            return self.delete_again(id, number, (receipt, asked));
        }
        let parcel = Parcel::new(Post::from(message), self.holding.take(receipt, asked), self.plan.ordered);
        if let Some(early) = parcel.early(self.holding.setup.clock.now()) {
            let _ = self.show(&parcel, early);
        } else {
            self.give_up(self.shelf.arrive(parcel));
        }
    }

    /// Deletes what is done and came again. While it is being deleted already, it is left alone: if that was in vain, it comes
    /// once more, and takes no room until then.
    fn delete_again(&self, id: &str, number: u64, (receipt, asked): (String, Instant)) {
        if self.holding.has(number) {
            return;
        }
        let (number, _) = self.holding.take(receipt, asked);
        self.completed.note(id, number);
        if let Some(done) = self.holding.done(number) {
            self.deletes.add(done);
        }
    }
}

/// Where a receive came back full, there is more; where it came back empty, one is enough to wait for it.
fn next_at_once(at_once: usize, came: usize, asked: usize) -> usize {
    match came {
        0 => 1,
        came if came >= asked => (at_once + 1).min(AT_ONCE),
        _ => at_once,
    }
}

fn lost() -> SettleError {
    SettleError::new(SettleErrorKind::Lost, "the time for which SQS hid the message is over")
}

/// One reader of a queue.
pub(super) struct QueueDeliveries {
    pub(super) intake: Arc<Intake>,
    pub(super) _end: DropGuard,
}

#[async_trait]
impl Deliveries for QueueDeliveries {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        loop {
            if self.intake.closed.is_cancelled() {
                return Err(closed());
            }
            let now = self.intake.holding.setup.clock.instant();
            let parcels = std::iter::from_fn(|| self.intake.held(now)).take(room.max(1));
            let ready: Vec<Delivery> = parcels.map(|parcel| parcel.into_delivery(&self.intake)).collect();
            if !ready.is_empty() {
                return Ok(ready);
            }
            tokio::select! {
                biased;
                () = self.intake.closed.cancelled() => {}
                () = self.intake.ended.cancelled() => return Err(self.why()),
                () = self.intake.shelf.changed() => {}
            }
        }
    }
}

impl QueueDeliveries {
    /// Why reading has ended.
    fn why(&self) -> TransportError {
        let fault = self.intake.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        fault.map_or_else(closed, |fault| fault.told(format_args!("receive from queue `{}`", self.intake.plan.name)))
    }
}
