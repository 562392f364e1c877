//! Work that blocks, and a future that goes to where such work is done.
//!
//! A hop to a thread for what blocks and back takes longer than most statements in a database. So a future that has many of
//! them roves: once it comes to the first it is polled on such a thread, where the next are done at once, until it waits for
//! something else. Then it is back, so that it occupies no thread while it waits, and time may jump on a paused clock.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

use tokio::task::{JoinHandle, spawn_blocking};
use tracing::{Span, dispatcher};

/// How many pieces of work are done one after the other before what else the future does has its turn.
const TURNS: u32 = 64;

/// Where the future that this thread polls is.
#[derive(Default)]
enum Seat {
    /// On a thread that must not be blocked, where it stays.
    #[default]
    Fixed,
    /// The same, but it may go to one for what blocks.
    Movable,
    /// It has asked to.
    Asked,
    /// On a thread for what blocks.
    Apart { turns: u32, left: Arc<AtomicBool> },
}

thread_local! {
    static SEAT: RefCell<Seat> = const { RefCell::new(Seat::Fixed) };
}

/// Has a roving future be where work that blocks is done, until it waits for something. Any other stays where it is.
///
/// # Cancel safety
/// Nothing is lost.
pub(crate) async fn to_work() {
    poll_fn(|context| {
        let mut seat = SEAT.take();
        let polled = match &mut seat {
            Seat::Fixed => Poll::Ready(()),
            Seat::Movable | Seat::Asked => {
                seat = Seat::Asked;
                Poll::Pending
            }
            Seat::Apart { turns: 0, .. } => Poll::Pending,
            // Nobody wants it any more: it is dropped here.
            Seat::Apart { left, .. } if left.load(Relaxed) => Poll::Pending,
            Seat::Apart { turns, .. } => {
                *turns -= 1;
                Poll::Ready(())
            }
        };
        SEAT.set(seat);
        if polled.is_pending() {
            context.waker().wake_by_ref();
        }
        polled
    })
    .await;
}

/// Does work that blocks: at once on a thread for such, where [`to_work`] has brought the future, else on another one. `None`:
/// it panicked, or the runtime ended.
///
/// # Cancel safety
/// Work that has begun goes on.
pub(crate) async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let is_apart = SEAT.with_borrow(|seat| matches!(seat, Seat::Apart { .. }));
    if is_apart { catch_unwind(AssertUnwindSafe(work)).ok() } else { spawn_blocking(work).await.ok() }
}

/// Has a future go to where its work is done. Dropped, it is cancelled at its next piece of work, or as it waits.
///
/// `None`: the runtime ended.
///
/// # Panics
/// Where the future does.
pub(crate) fn roving<F>(future: F) -> impl Future<Output = Option<F::Output>>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    Roving(Place::Here(Box::pin(future)))
}

/// A future and where it is.
struct Roving<F: Future>(Place<F>);

enum Place<F: Future> {
    Here(Pin<Box<F>>),
    Apart(JoinHandle<Polled<F>>, Arc<AtomicBool>),
    Over,
}

type Polled<F> = (Pin<Box<F>>, Poll<<F as Future>::Output>);

/// What became of a future as it was polled.
enum Step<F: Future> {
    Moved(Place<F>),
    Waits(Place<F>),
    Ended(Option<F::Output>),
}

impl<F: Future<Output: Send + 'static> + Send + 'static> Future for Roving<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match mem::replace(&mut self.0, Place::Over).step(context) {
                Step::Moved(place) => self.0 = place,
                Step::Waits(place) => {
                    self.0 = place;
                    return Poll::Pending;
                }
                Step::Ended(output) => return Poll::Ready(output),
            }
        }
    }
}

impl<F: Future<Output: Send + 'static> + Send + 'static> Place<F> {
    fn step(self, context: &mut Context<'_>) -> Step<F> {
        match self {
            Self::Here(mut future) => match poll_in(Seat::Movable, &mut future, context) {
                (Poll::Ready(output), _) => Step::Ended(Some(output)),
                (Poll::Pending, Seat::Asked) => Step::Moved(sent(future, context.waker().clone())),
                (Poll::Pending, _) => Step::Waits(Self::Here(future)),
            },
            Self::Apart(mut thread, left) => match Pin::new(&mut thread).poll(context) {
                Poll::Pending => Step::Waits(Self::Apart(thread, left)),
                Poll::Ready(Ok((_, Poll::Ready(output)))) => Step::Ended(Some(output)),
                // What woke it meanwhile may have been heard by nobody.
                Poll::Ready(Ok((future, Poll::Pending))) => Step::Moved(Self::Here(future)),
                Poll::Ready(Err(error)) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(_) => Step::Ended(None),
                },
            },
            Self::Over => Step::Ended(None),
        }
    }
}

impl<F: Future> Drop for Roving<F> {
    fn drop(&mut self) {
        if let Place::Apart(_, left) = &self.0 {
            left.store(true, Relaxed);
        }
    }
}

/// Has the future polled on a thread for what blocks, with the log and the span that it has here.
fn sent<F: Future<Output: Send + 'static> + Send + 'static>(mut future: Pin<Box<F>>, waker: Waker) -> Place<F> {
    let (log, span) = (dispatcher::get_default(Clone::clone), Span::current());
    let left = Arc::new(AtomicBool::new(false));
    let seen = left.clone();
    let poll = move || {
        let polled = poll_apart(&mut future, &waker, &seen);
        (future, polled)
    };
    Place::Apart(spawn_blocking(move || dispatcher::with_default(&log, || span.in_scope(poll))), left)
}

/// Polls it until it waits for something else than its turn.
fn poll_apart<F: Future>(future: &mut Pin<Box<F>>, waker: &Waker, left: &Arc<AtomicBool>) -> Poll<F::Output> {
    let mut context = Context::from_waker(waker);
    loop {
        let seat = Seat::Apart { turns: TURNS, left: left.clone() };
        match poll_in(seat, future, &mut context) {
            (Poll::Pending, Seat::Apart { turns: 0, .. }) if !left.load(Relaxed) => {}
            (polled, _) => return polled,
        }
    }
}

/// Polls it on this seat; what it was left as.
fn poll_in<F: Future>(seat: Seat, future: &mut Pin<Box<F>>, context: &mut Context<'_>) -> (Poll<F::Output>, Seat) {
    struct Restored(Seat);
    impl Drop for Restored {
        fn drop(&mut self) {
            SEAT.set(mem::take(&mut self.0));
        }
    }
    let restored = Restored(SEAT.replace(seat));
    let polled = future.as_mut().poll(context);
    let seat = SEAT.take();
    drop(restored);
    (polled, seat)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Mutex, atomic::AtomicU32, mpsc},
        thread::{self, ThreadId},
        time::Duration,
    };

    use tokio::sync::Notify;

    use super::*;

    /// A piece of work; where it was done.
    async fn piece() -> ThreadId {
        to_work().await;
        work(|| thread::current().id()).await.expect("the runtime is there")
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_done_where_the_future_has_gone_and_nothing_else_waits_there() {
        let here = thread::current().id();
        let walk = async move {
            let places = [piece().await, piece().await, thread::current().id()];
            // A clock that is paused jumps only if no thread for what blocks is in use.
            tokio::time::sleep(Duration::from_secs(3600)).await;
            (places, thread::current().id(), piece().await)
        };
        let ([first, second, then], waited, last) = roving(walk).await.expect("the runtime is there");
        assert!(first != here && second == first && then == first, "it went there once");
        assert!(waited == here && last != here, "it came back to wait");
        assert_ne!(piece().await, here, "others stay, and have it done elsewhere");
    }

    #[tokio::test]
    async fn what_else_the_future_does_has_its_turn() {
        let done = AtomicU32::new(0);
        let busy = async {
            loop {
                piece().await;
                done.fetch_add(1, Relaxed);
            }
        };
        let others = async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        };
        let turns = async {
            tokio::select! {
                biased;
                () = busy => {}
                () = others => {}
            }
            done.load(Relaxed)
        };
        let mut turns = Box::pin(turns);
        let left = Arc::new(AtomicBool::new(false));
        let polled = loop {
            if let Poll::Ready(done) = poll_apart(&mut turns, Waker::noop(), &left) {
                break done;
            }
        };
        assert!((TURNS..=4 * TURNS).contains(&polled), "{polled}");
    }

    #[tokio::test]
    async fn a_future_that_is_dropped_does_no_more_work() {
        let (begun, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (go_on, waits) = mpsc::channel::<()>();
        let (waits, done) = (Arc::new(Mutex::new(waits)), Arc::new(AtomicU32::new(0)));
        let (begins, counts, ends) = (begun.clone(), done.clone(), Told(dropped.clone()));
        let roving = roving(async move {
            let _ends = ends;
            loop {
                let (begins, waits, counts) = (begins.clone(), waits.clone(), counts.clone());
                let one = move || {
                    begins.notify_one();
                    let _ = waits.lock().expect("nobody panics").recv();
                    counts.fetch_add(1, Relaxed);
                };
                to_work().await;
                work(one).await;
            }
        });
        tokio::select! {
            biased;
            _ = roving => {}
            () = begun.notified() => {}
        }
        drop(go_on);
        dropped.notified().await;
        assert_eq!(done.load(Relaxed), 1, "what had begun went on, and nothing else began");
    }

    /// Tells that it is dropped.
    struct Told(Arc<Notify>);

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    #[tokio::test]
    async fn a_panic_comes_back() {
        let panics = roving(async {
            piece().await;
            panic!("on purpose");
        });
        let panic = tokio::spawn(panics).await.expect_err("it panicked").into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    }
}
