//! A handler that is cut off wherever it waits, and what is left of it.

use std::{
    fmt::{self, Debug},
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{self, Poll, ready},
};

use tokio::task::coop::{has_budget_remaining, poll_proceed};

use super::TestService;
use crate::{
    Event, Service,
    error::told,
    middleware::{Answer, BoxFuture, Middleware, Next},
    pipeline::Incoming,
    transport::Memory,
};

/// In how many places a handler may wait.
const MOST_POINTS: usize = 1_000;

/// Handles an event once undisturbed, and then again and again with a crash in another place each time; what is left must
/// always be what the undisturbed run left.
///
/// A round begins with `fresh`: a service, and what its handlers write to, empty. Each round publishes the event once. Its
/// delivery is cut off where it waits for the first, the second, … time (for a statement, a commit, an answer), up to the
/// end, where it is done and the process ends before the ack. Then it is delivered again. In the last round two copies are
/// handled at the same time. Compared are what `read` finds, what the service has published, and its dead letters.
///
/// A cut drops the handler's future, as the end of the process would: a transaction is undone, or a commit happens whose
/// answer nobody sees. What the handler has handed to other tasks goes on, as it would not in a crash.
///
/// Everything runs by the clock as it is. Where the database is in this process, pause it (`start_paused = true`), so that
/// retries take no time; sockets know nothing of a paused clock.
///
/// # Panics
/// Something else is left after a crash: it says where, and what. Or two undisturbed runs leave different things already
/// (`read` shows a time or a random number, or `fresh` is not fresh), or a service does not start.
///
/// # Examples
/// See the guide, `docs::outbox`.
pub async fn crash_matrix<S, E, D, R>(
    fresh: impl AsyncFn() -> (Service<S>, D),
    event: &E,
    read: impl AsyncFn(&D) -> R,
) -> CrashMatrix
where
    S: Send + Sync + 'static,
    E: Event,
    R: PartialEq + Debug,
{
    let bench = Bench { fresh, event, read };
    let (expected, _) = bench.round(Fault::None).await;
    let (second, _) = bench.round(Fault::None).await;
    assert_eq!(expected, second, "two undisturbed runs leave different things: read only what each run leaves alike");
    let mut broken = Vec::new();
    let mut note = |fault, left| {
        if left != expected {
            broken.push(format!("{fault}: {left:#?}"));
        }
    };
    let mut points = 0;
    loop {
        assert!(points < MOST_POINTS, "the handler waits in more than {MOST_POINTS} places: give it less to do");
        let fault = Fault::Crash { steps: points };
        let (left, cut) = bench.round(fault).await;
        note(fault, left);
        points += 1;
        if !cut {
            break;
        }
    }
    note(Fault::Copies, bench.round(Fault::Copies).await.0);
    let (shown, tried, broken) = (broken.len(), points + 1, broken.join("\n"));
    assert!(shown == 0, "{shown} of {tried} faults leave something else\nundisturbed: {expected:#?}\n{broken}");
    CrashMatrix { points }
}

/// What [`crash_matrix`] has tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrashMatrix {
    /// In how many places the handler was cut off; the last is between its end and the ack.
    pub points: usize,
}

/// What is done to the delivery of a round.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    /// It is cut off after it has made so many steps, and comes again.
    Crash {
        steps: usize,
    },
    /// It comes twice at the same time.
    Copies,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("undisturbed"),
            Self::Crash { steps } => write!(f, "crash at point {}, then delivered again", steps + 1),
            Self::Copies => f.write_str("two copies at the same time"),
        }
    }
}

/// What a round left.
#[derive(Debug, PartialEq)]
struct Left<R> {
    read: R,
    published: Vec<(String, String)>,
    dead: Vec<String>,
}

struct Bench<'a, F, E, V> {
    fresh: F,
    event: &'a E,
    read: V,
}

impl<E: Event, F, V> Bench<'_, F, E, V> {
    /// What is left, and was the delivery cut off?
    async fn round<S, D, R>(&self, fault: Fault) -> (Left<R>, bool)
    where
        S: Send + Sync + 'static,
        F: AsyncFn() -> (Service<S>, D),
        V: AsyncFn(&D) -> R,
    {
        let (mut service, written) = (self.fresh)().await;
        let crash =
            Arc::new(Crash { event: E::CONTRACT.name, fault, came: AtomicBool::default(), cut: AtomicBool::default() });
        service.parts.consume.insert(0, Arc::new(crash.clone()));
        let service = TestService::begin(&Memory::new(), service).await;
        let service = service.unwrap_or_else(|error| panic!("the service does not start: {}", told(&error)));
        let posted = service.publish(self.event).await;
        posted.unwrap_or_else(|error| panic!("the event cannot be published: {}", told(&error)));
        service.settle().await;
        let dead = service.dead_letters().iter().map(|letter| letter.reason().to_string()).collect();
        let left = Left { read: (self.read)(&written).await, published: service.record.all_published(), dead };
        let stopped = service.stop().await;
        stopped.unwrap_or_else(|error| panic!("the service does not stop: {}", told(&error)));
        (left, crash.cut.load(Ordering::SeqCst))
    }
}

/// Brings the fault, to the first delivery of the event.
struct Crash {
    event: &'static str,
    fault: Fault,
    came: AtomicBool,
    cut: AtomicBool,
}

impl Middleware<Incoming> for Arc<Crash> {
    fn call(&self, incoming: Incoming, next: Next<Incoming>) -> BoxFuture<Answer<Incoming>> {
        if incoming.event() != self.event || self.came.swap(true, Ordering::SeqCst) {
            return next.run(incoming);
        }
        let crash = self.clone();
        Box::pin(async move {
            match crash.fault {
                Fault::None => next.run(incoming).await,
                Fault::Crash { steps } => {
                    let first = UpTo::new(next.clone().run(incoming.clone()), steps);
                    crash.cut.store(first.await.is_none(), Ordering::SeqCst);
                    next.run(incoming).await
                }
                Fault::Copies => {
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
