//! A handler that is cut off wherever it waits, and what is left of it.

mod fault;

use std::{
    collections::BTreeSet,
    fmt::Debug,
    sync::{Arc, atomic::Ordering},
};

use super::TestService;
use crate::{Event, Service, error::told, transport::Memory};
use fault::{Crash, Fault, Reached};

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
/// Where the event comes to several queues, each of them has rounds of its own, and the others go undisturbed: `read` must not
/// tell which was first. An event of an older contract, for which there is an upcast, may be given, too.
///
/// A cut drops the handler's future, as the end of the process would: a transaction is undone, or a commit happens whose
/// answer nobody sees. What the handler has handed to other tasks goes on, as it would not in a crash.
///
/// Everything runs by the clock as it is. Where the database is in this process, pause it (`start_paused = true`), so that
/// retries take no time; sockets know nothing of a paused clock.
///
/// # Panics
/// Something else is left after a crash: it says where, and what. Or two undisturbed runs leave different things already
/// (`read` shows a time or a random number, or `fresh` is not fresh), or a service does not start. Or the event comes to no
/// handler, so that there is nothing to cut off.
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
    let Round { left: expected, came, .. } = bench.round(&Fault::None).await;
    let event = E::CONTRACT.name;
    assert!(
        !came.is_empty(),
        "no handler gets `{event}`: a filter or a middleware of the service rejects it, or it cannot be read"
    );
    let second = bench.round(&Fault::None).await.left;
    assert_eq!(expected, second, "two undisturbed runs leave different things: read only what each run leaves alike");
    let (mut points, mut broken) = (0, Vec::new());
    for queue in &came {
        let (tried, found) = bench.disturb(queue, &expected).await;
        points += tried;
        broken.extend(found);
    }
    let (shown, tried, broken) = (broken.len(), points + came.len(), broken.join("\n"));
    assert!(shown == 0, "{shown} of {tried} faults leave something else\nundisturbed: {expected:#?}\n{broken}");
    CrashMatrix { points }
}

/// What [`crash_matrix`] has tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrashMatrix {
    /// In how many places the handler was cut off; the last is between its end and the ack. Where several handle the event,
    /// those of all of them.
    pub points: usize,
}

/// How a round went.
struct Round<R> {
    left: Left<R>,
    /// The queues that the event came from to a handler.
    came: BTreeSet<Arc<str>>,
    /// Was the delivery cut off?
    cut: bool,
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
    /// Brings each fault to the deliveries from this queue: in how many places they were cut off, and which faults left
    /// something else.
    async fn disturb<S, D, R>(&self, queue: &Arc<str>, expected: &Left<R>) -> (usize, Vec<String>)
    where
        S: Send + Sync + 'static,
        F: AsyncFn() -> (Service<S>, D),
        V: AsyncFn(&D) -> R,
        R: PartialEq + Debug,
    {
        let (mut points, mut broken) = (0, Vec::new());
        let mut note = |fault: Fault, left: Left<R>| {
            if left != *expected {
                broken.push(format!("{fault}: {left:#?}"));
            }
        };
        loop {
            assert!(points < MOST_POINTS, "the handler waits in more than {MOST_POINTS} places: give it less to do");
            let fault = Fault::Crash { queue: queue.clone(), steps: points };
            let Round { left, cut, .. } = self.round(&fault).await;
            note(fault, left);
            points += 1;
            if !cut {
                break;
            }
        }
        let fault = Fault::Copies { queue: queue.clone() };
        let left = self.round(&fault).await.left;
        note(fault, left);
        (points, broken)
    }

    async fn round<S, D, R>(&self, fault: &Fault) -> Round<R>
    where
        S: Send + Sync + 'static,
        F: AsyncFn() -> (Service<S>, D),
        V: AsyncFn(&D) -> R,
    {
        let (mut service, written) = (self.fresh)().await;
        let crash = Arc::new(Crash::new(fault.clone()));
        service.parts.consume.insert(0, Arc::new(crash.clone()));
        service.parts.consume.push(Arc::new(Reached(crash.clone())));
        let service = TestService::begin(&Memory::new(), service).await;
        let service = service.unwrap_or_else(|error| panic!("the service does not start: {}", told(&error)));
        let posted = service.outside().publish_with(self.event, |options| options.id(crash.id.clone())).await;
        posted.unwrap_or_else(|error| panic!("the event cannot be published: {}", told(&error)));
        service.settle().await;
        let dead = service.dead_letters().iter().map(|letter| letter.reason().to_string()).collect();
        let left = Left { read: (self.read)(&written).await, published: service.record.all_published(), dead };
        let stopped = service.stop().await;
        stopped.unwrap_or_else(|error| panic!("the service does not stop: {}", told(&error)));
        let (came, cut) = (crash.came().clone(), crash.cut.load(Ordering::SeqCst));
        let missed = fault.queue().filter(|queue| !came.contains(*queue));
        assert!(missed.is_none(), "nothing came to be disturbed by {fault}: `fresh` gives different services");
        Round { left, came, cut }
    }
}
