//! The watch over work that must not block: a thread of its own, for a blocked thread may be the only one tasks have.
//!
//! It reads no clock. It looks every second, counts its looks, and each poll notes the count it began at; so real time
//! counts here, also where tokio's clock is paused.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

/// How often the watch looks.
const LOOK: Duration = Duration::from_secs(1);
/// A poll that has seen so many looks blocks its thread: it lasts for 3 s to 4 s by then (L4: 5 s).
const LOOKS: u32 = 4;

/// Work that can say what it is.
pub(crate) trait Blocking: Send + Sync + 'static {
    /// Its thread has been blocked for this long, and still is.
    fn blocks(&self, so_far: Duration);
    /// Its thread was blocked for this long, to the second.
    fn blocked(&self, in_all: Duration);
}

/// Knows what is being polled. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Shared>);

struct Shared {
    /// How often the watch has looked, from 1.
    looks: AtomicU32,
    polls: Mutex<Polls>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { looks: AtomicU32::new(1), polls: Mutex::default() }
    }
}

/// All the work under watch, each in a place of its own.
#[derive(Default)]
struct Polls {
    places: Vec<Option<Arc<Polled<dyn Blocking>>>>,
    free: Vec<usize>,
}

/// A piece of work, and how often the watch had looked when its poll began; 0 between polls.
struct Polled<W: ?Sized> {
    since: AtomicU32,
    work: W,
}

impl Watch {
    /// Does the work, watched.
    pub(crate) async fn over<F: Future>(&self, what: impl Blocking, work: F) -> F::Output {
        let place = self.enter(what);
        let mut work = pin!(work);
        poll_fn(|context| {
            let _polling = place.poll();
            work.as_mut().poll(context)
        })
        .await
    }

    /// Starts to look, until the answer is dropped.
    pub(crate) fn start(&self) -> Watching {
        let (watch, (end, ended)) = (self.clone(), sync_channel(0));
        // Log lines go where those of the service do.
        let log = tracing::dispatcher::get_default(Clone::clone);
        let look = move || tracing::dispatcher::with_default(&log, || watch.look_until(&ended));
        let thread = std::thread::Builder::new().name("tegami-watch".to_owned()).spawn(look);
        if let Err(error) = &thread {
            tracing::warn!(%error, "no thread for the watch; a handler that blocks its own will not be reported");
        }
        Watching { thread: thread.ok(), end: Some(end) }
    }

    fn look_until(&self, ended: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
            self.look();
        }
    }

    fn look(&self) {
        let looks = self.0.looks.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        // Once for each poll: the next look is one too many.
        let late = |polled: &&Arc<Polled<dyn Blocking>>| seen(polled.since.load(Ordering::Relaxed), looks) == LOOKS;
        let late: Vec<_> = self.polls().places.iter().flatten().filter(late).cloned().collect();
        for polled in late {
            polled.work.blocks(lasted(LOOKS));
        }
    }

    fn enter(&self, work: impl Blocking) -> Place<'_> {
        let polled = Arc::new(Polled { since: AtomicU32::new(0), work });
        let mut polls = self.polls();
        let number = polls.free.pop().unwrap_or(polls.places.len());
        match polls.places.get_mut(number) {
            Some(place) => *place = Some(polled.clone()),
            None => polls.places.push(Some(polled.clone())),
        }
        drop(polls);
        Place { watch: self, number, polled }
    }

    fn polls(&self) -> MutexGuard<'_, Polls> {
        self.0.polls.lock().expect("no panic happens while the polls are held")
    }
}

/// How often the watch has looked since then.
fn seen(since: u32, looks: u32) -> u32 {
    if since == 0 { 0 } else { looks.wrapping_sub(since) }
}

/// How long a poll has lasted at least that has seen so many looks: the first came some time after its begin.
fn lasted(seen: u32) -> Duration {
    LOOK * seen.saturating_sub(1)
}

/// A piece of work's place among those under watch; dropped, it is free.
struct Place<'a> {
    watch: &'a Watch,
    number: usize,
    polled: Arc<Polled<dyn Blocking>>,
}

impl Place<'_> {
    /// Notes that a poll begins; it ends when the answer is dropped.
    fn poll(&self) -> Poll<'_> {
        self.polled.since.store(self.watch.0.looks.load(Ordering::Relaxed), Ordering::Relaxed);
        Poll(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut polls = self.watch.polls();
        polls.places[self.number] = None;
        polls.free.push(self.number);
    }
}

/// A poll under way.
struct Poll<'a>(&'a Place<'a>);

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        let since = self.0.polled.since.swap(0, Ordering::Relaxed);
        let seen = seen(since, self.0.watch.0.looks.load(Ordering::Relaxed));
        if seen >= LOOKS {
            self.0.polled.work.blocked(lasted(seen));
        }
    }
}

/// The watch at work; dropped, it ends.
pub(crate) struct Watching {
    thread: Option<JoinHandle<()>>,
    end: Option<SyncSender<()>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        drop(self.end.take());
        // It waits for nothing but this; a panic in it was told as it happened.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<(&'static str, u64)>>>);

    impl Told {
        fn add(&self, what: &'static str, time: Duration) {
            self.0.lock().expect("one thread").push((what, time.as_secs()));
        }
    }

    impl Blocking for Told {
        fn blocks(&self, so_far: Duration) {
            self.add("blocks", so_far);
        }

        fn blocked(&self, in_all: Duration) {
            self.add("blocked", in_all);
        }
    }

    /// What is told of a poll during which the watch looks so often.
    fn told_after(looks: u32) -> Vec<(&'static str, u64)> {
        let (watch, told) = (Watch::default(), Told::default());
        let work = async { (0..looks).for_each(|_| watch.look()) };
        watch.over(told.clone(), work).now_or_never().expect("it does not wait");
        told.0.lock().expect("one thread").clone()
    }

    #[test]
    fn l4_a_poll_is_told_of_once_as_it_blocks_and_once_as_it_ends() {
        assert_eq!(told_after(3), []);
        assert_eq!(told_after(4), [("blocks", 3), ("blocked", 3)]);
        assert_eq!(told_after(30), [("blocks", 3), ("blocked", 29)]);
    }

    #[test]
    fn l4_work_that_waits_blocks_nothing_however_long() {
        let (watch, told) = (Watch::default(), Told::default());
        let mut work = Box::pin(watch.over(told.clone(), std::future::pending::<()>()));
        for _ in 0..10 {
            assert!(work.as_mut().now_or_never().is_none());
            (0..10).for_each(|_| watch.look());
        }
        assert!(told.0.lock().expect("one thread").is_empty());
    }

    #[test]
    fn h2_work_that_ends_is_dropped_or_panics_leaves_its_place_free() {
        let watch = Watch::default();
        for _ in 0..3 {
            watch.over(Told::default(), async {}).now_or_never().expect("it ends");
            assert!(watch.over(Told::default(), std::future::pending::<()>()).now_or_never().is_none());
            let panics = watch.over(Told::default(), async { panic!("on purpose") });
            std::panic::AssertUnwindSafe(panics).catch_unwind().now_or_never().expect("it ends").expect_err("a panic");
        }
        let polls = watch.polls();
        assert_eq!((polls.places.len(), polls.free.len()), (1, 1));
    }
}
