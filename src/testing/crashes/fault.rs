//! What is done to a delivery on its way to a handler: it is cut off, or doubled.

use std::{
    collections::BTreeSet,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{self, Poll, ready},
};

use tokio::task::coop::{has_budget_remaining, poll_proceed};

use crate::{
    envelope::MessageId,
    middleware::{Answer, BoxFuture, Middleware, Next},
    pipeline::Incoming,
    time::Dice,
};

/// What is done in a round, to the first delivery from one of the queues.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    None,
    /// It is cut off after it has made so many steps, and comes again.
    Crash {
        queue: Arc<str>,
        steps: usize,
    },
    /// It comes twice at the same time.
    Copies {
        queue: Arc<str>,
    },
}

impl Fault {
    /// Whose delivery it is brought to.
    pub(super) fn queue(&self) -> Option<&Arc<str>> {
        match self {
            Self::None => None,
            Self::Crash { queue, .. } | Self::Copies { queue } => Some(queue),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("undisturbed"),
            Self::Crash { queue, steps } => {
                write!(f, "`{queue}`: crash at point {}, then delivered again", steps + 1)
            }
            Self::Copies { queue } => write!(f, "`{queue}`: two copies at the same time"),
        }
    }
}

/// Brings the fault, to the first delivery of the event from its queue.
///
/// The event is known by its message's id: an upcast gives it another name, and a handler may publish one of its own.
pub(super) struct Crash {
    pub(super) id: MessageId,
    fault: Fault,
    came: Mutex<BTreeSet<Arc<str>>>,
    /// Has the delivery come that is to be disturbed?
    struck: AtomicBool,
    /// Was the delivery cut off?
    pub(super) cut: AtomicBool,
}

impl Crash {
    pub(super) fn new(fault: Fault) -> Self {
        let (came, struck, cut) = Default::default();
        Self { id: MessageId::draw(&Dice::system()), fault, came, struck, cut }
    }

    /// The queues that the event came from to a handler.
    pub(super) fn came(&self) -> MutexGuard<'_, BTreeSet<Arc<str>>> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is this the delivery to disturb?
    fn strikes(&self, incoming: &Incoming) -> bool {
        let comes_there = self.fault.queue().is_some_and(|queue| **queue == *incoming.queue());
        comes_there && *incoming.message_id() == self.id && !self.struck.swap(true, Ordering::SeqCst)
    }
}

/// Notes that the event came to a handler: it stands behind every step that may answer in a handler's place.
pub(super) struct Reached(pub(super) Arc<Crash>);

impl Middleware<Incoming> for Reached {
    fn call(&self, incoming: Incoming, next: Next<Incoming>) -> BoxFuture<Answer<Incoming>> {
        if *incoming.message_id() == self.0.id {
            self.0.came().insert(incoming.queue().into());
        }
        next.run(incoming)
    }
}

impl Middleware<Incoming> for Arc<Crash> {
    fn call(&self, incoming: Incoming, next: Next<Incoming>) -> BoxFuture<Answer<Incoming>> {
        if !self.strikes(&incoming) {
            return next.run(incoming);
        }
        let crash = self.clone();
        Box::pin(async move {
            match crash.fault {
                Fault::None => next.run(incoming).await,
                Fault::Crash { steps, .. } => {
                    let first = UpTo::new(next.clone().run(incoming.clone()), steps);
                    crash.cut.store(first.await.is_none(), Ordering::SeqCst);
                    next.run(incoming).await
                }
                Fault::Copies { .. } => {
                    let (one, other) = futures_util::join!(next.clone().run(incoming.clone()), next.run(incoming));
                    one.and(other)
                }
            }
        })
    }
}

/// Work that is given up when it has made so many steps and waits for its next one.
///
/// A step is what tokio takes from a task's budget: an answer from another thread, a message from a channel. Here there is
/// one of it for a poll, and none for the first. So every step is waited for, also one that would have been done at once,
/// and two runs have the same steps. What takes nothing from the budget, as a socket that is read without asking tokio, has
/// made a step when it is woken and waits again.
struct UpTo<T> {
    work: BoxFuture<T>,
    steps: usize,
    begun: bool,
    /// Did it wait for something, and not for its budget?
    waited: bool,
}

impl<T> UpTo<T> {
    fn new(work: BoxFuture<T>, steps: usize) -> Self {
        Self { work, steps, begun: false, waited: false }
    }

    /// Takes all of the budget but one, and that too before it has begun; is one left?
    fn leave_one(&mut self, context: &mut task::Context<'_>) -> Poll<bool> {
        let mut last = ready!(poll_proceed(context));
        while has_budget_remaining() {
            last.made_progress();
            last = ready!(poll_proceed(context));
        }
        if !std::mem::replace(&mut self.begun, true) {
            last.made_progress();
        }
        drop(last);
        Poll::Ready(has_budget_remaining())
    }
}

impl<T> Future for UpTo<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Option<T>> {
        let may_step = ready!(self.leave_one(context));
        if let Poll::Ready(done) = self.work.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        let waits = may_step && has_budget_remaining();
        let stepped = may_step && (!waits || self.waited);
        self.waited = waits;
        match self.steps.checked_sub(usize::from(stepped)) {
            Some(steps @ 1..) => {
                self.steps = steps;
                Poll::Pending
            }
            _ => Poll::Ready(None),
        }
    }
}
