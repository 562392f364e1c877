//! Tasks and their end: the only place that spawns, the watch over them, and the two steps by which everything stops.
//!
//! A component asks for [`draining`](Lifecycle::draining) to stop taking work, and for
//! [`cut_off`](Lifecycle::cut_off) to let go of work that has had its time.

mod letting_go;
#[cfg(any(feature = "amqp", feature = "aws", feature = "otel"))]
mod quarters;
#[cfg(feature = "sqlite")]
mod roving;
mod signals;
mod stop;
mod watch;

pub(crate) use letting_go::LettingGo;
#[cfg(any(feature = "amqp", feature = "aws", feature = "otel"))]
pub(crate) use quarters::Quarters;
#[cfg(feature = "sqlite")]
pub(crate) use roving::{roving, to_work, work};
pub(crate) use signals::{Signals, Summons};
pub(crate) use stop::Stop;
pub(crate) use watch::{Blocking, Watch, Watching};

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Does work that blocks, on a thread of its own. Nobody waits for that: tokio would wait for a thread of its, at its end.
///
/// # Cancel safety
/// It goes on without its caller.
#[cfg(feature = "otel")]
pub(crate) async fn aside<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || drop(tell.send(work())))?;
    told.await.map_err(std::io::Error::other)
}

/// Starts work that blocks, on a thread for such. Time does not jump on a paused clock until it is done.
#[cfg(feature = "sqlite")]
pub(crate) fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::task::spawn_blocking(work)
}

/// The same where a runtime is there to do it; else at once.
#[cfg(feature = "sqlite")]
pub(crate) fn apart_or_here(work: impl FnOnce() + Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => work(),
    }
}

/// Nothing that it does blocks.
#[cfg(all(feature = "store", not(feature = "sqlite")))]
pub(crate) async fn roving<F: Future>(future: F) -> Option<F::Output> {
    Some(future.await)
}

/// Starts a task that ends when the answer is dropped.
#[cfg(feature = "store")]
pub(crate) fn owned<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> tokio_util::task::AbortOnDropHandle<T> {
    tokio_util::task::AbortOnDropHandle::new(tokio::spawn(task))
}

/// The tasks of one service. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lifecycle(Arc<State>);

#[derive(Debug, Default)]
struct State {
    tasks: TaskTracker,
    drain: CancellationToken,
    /// The same as `drain`; to look at that takes a lock.
    is_draining: AtomicBool,
    cut: CancellationToken,
}

impl Lifecycle {
    /// Starts a task that the service owns and waits for.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(task);
    }

    /// Ends the taking of new work; work in progress goes on.
    pub(crate) fn drain(&self) {
        self.0.is_draining.store(true, Relaxed);
        self.0.drain.cancel();
        self.0.tasks.close();
    }

    /// Ends work in progress.
    pub(crate) fn cut(&self) {
        self.0.cut.cancel();
    }

    /// Set once no new work may be taken.
    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.0.drain
    }

    /// May no new work be taken?
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "only requests are so many that they ask"))]
    pub(crate) fn is_draining(&self) -> bool {
        self.0.is_draining.load(Relaxed)
    }

    /// Set once work in progress must let go.
    pub(crate) fn cut_off(&self) -> &CancellationToken {
        &self.0.cut
    }

    /// Waits until every task has ended; `false` if some have not by then.
    pub(crate) async fn finished_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.0.tasks.wait()).await.is_ok()
    }
}
