//! What reader, consumer and deliveries of one queue share: the state behind its lock, and the bells that wake whoever waits.

use std::{
    pin::pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::state::{Batch, Effect, Rules, State, Taken};
use crate::{store::Position, time::Clock, transport::Settlement};

/// One consumer's side of a queue.
pub(super) struct Desk {
    state: Mutex<State>,
    pub(super) clock: Clock,
    /// For the consumer: something may be there, or the queue is this one's now.
    pub(super) ready: Notify,
    /// For the reader: something is to be noted.
    pub(super) work: Notify,
    /// The last transaction that went well, and the bell for those who wait for one. (A `watch` wakes them in an order that
    /// is left to chance.)
    noted: AtomicU64,
    told: Notify,
    /// The transport is closed.
    pub(super) closed: CancellationToken,
    /// Nobody consumes any more.
    pub(super) left: CancellationToken,
    /// The reader has ended.
    pub(super) ended: CancellationToken,
    /// What does not go on, and why.
    trouble: Mutex<Option<String>>,
}

/// Why a settlement does not count.
pub(super) struct NotOurs;

impl Desk {
    pub(super) fn new(rules: Rules, clock: Clock, closed: CancellationToken) -> Self {
        Self {
            state: Mutex::new(State::new(rules, clock)),
            clock,
            ready: Notify::new(),
            work: Notify::new(),
            noted: AtomicU64::new(0),
            told: Notify::new(),
            closed,
            left: CancellationToken::new(),
            ended: CancellationToken::new(),
            trouble: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what may be handed out; what is not handed out goes back when the answer is dropped.
    pub(super) fn take(&self, room: usize) -> Going<'_> {
        let (taken, begin) = self.state().take(room);
        if let Effect::After(..) = begin {
            self.work.notify_one();
        }
        Going { desk: self, taken, begin }
    }

    /// Settles a delivery.
    pub(super) async fn settle(&self, position: Position, tag: u64, settlement: Settlement) -> Result<(), NotOurs> {
        let effect = self.settle_now(position, tag, settlement)?;
        self.takes(&effect).await
    }

    /// Waits until something takes effect.
    pub(super) async fn takes(&self, effect: &Effect) -> Result<(), NotOurs> {
        let Effect::After(batch, lost) = effect else { return Ok(()) };
        tokio::select! {
            biased;
            () = self.until_noted(*batch) => Ok(()),
            () = lost.cancelled() => Err(NotOurs),
        }
    }

    async fn until_noted(&self, batch: u64) {
        loop {
            // Registered before looking, so that what is noted after the look wakes us.
            let mut told = pin!(self.told.notified());
            told.as_mut().enable();
            if self.noted.load(Ordering::Acquire) >= batch {
                return;
            }
            told.await;
        }
    }

    /// The part of it that waits for nobody.
    pub(super) fn settle_now(&self, position: Position, tag: u64, settlement: Settlement) -> Result<Effect, NotOurs> {
        let mut state = self.state();
        let settled = state.settle(position, tag, settlement).map_err(|_| NotOurs);
        let is_worth_a_look = state.is_worth_a_look();
        drop(state);
        self.work.notify_one();
        if is_worth_a_look {
            self.ready.notify_one();
        }
        settled
    }

    /// A transaction went well.
    pub(super) fn noted(&self, batch: &Batch, until: Instant) {
        let mut state = self.state();
        state.noted(batch);
        let had_run_out = state.until <= self.clock.instant();
        state.until = until;
        drop(state);
        self.noted.store(batch.number, Ordering::Release);
        self.told.notify_waiters();
        if had_run_out || !batch.kept.is_empty() {
            self.ready.notify_one();
        }
    }

    /// The queue is somebody else's, or may be.
    pub(super) fn lose(&self) {
        self.state().lose();
        self.ready.notify_one();
    }

    /// What does not go on, and why.
    pub(super) fn trouble(&self) -> Option<String> {
        self.told().clone()
    }

    pub(super) fn has_trouble(&self, why: Option<String>) {
        *self.told() = why;
    }

    fn told(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is on its way to be handed out.
pub(super) struct Going<'a> {
    desk: &'a Desk,
    pub(super) taken: Vec<Taken>,
    /// When their handlers may begin.
    begin: Effect,
}

impl Going<'_> {
    /// Waits until their handlers may begin; may they?
    pub(super) async fn may_begin(&self) -> bool {
        let Desk { closed, ended, .. } = self.desk;
        tokio::select! {
            biased;
            begin = self.desk.takes(&self.begin) => begin.is_ok(),
            () = closed.cancelled() => false,
            () = ended.cancelled() => false,
        }
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        let mut state = self.desk.state();
        for taken in self.taken.drain(..).rev() {
            state.untake(taken.position);
        }
    }
}
