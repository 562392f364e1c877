//! Tasks and their end: the only place that spawns, the watch over them, and the two steps by which everything stops.
//!
//! A component asks for [`draining`](Lifecycle::draining) to stop taking work, and for
//! [`cut_off`](Lifecycle::cut_off) to let go of work that has had its time.

#[cfg(any(feature = "amqp", feature = "aws"))]
mod quarters;
mod signals;
mod stop;
mod watch;

#[cfg(any(feature = "amqp", feature = "aws"))]
pub(crate) use quarters::Quarters;
pub(crate) use signals::Signals;
pub(crate) use stop::Stop;
pub(crate) use watch::{Blocking, Watch, Watching};

use std::{future::Future, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The tasks of one service. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lifecycle {
    tasks: TaskTracker,
    drain: CancellationToken,
    cut: CancellationToken,
}

impl Lifecycle {
    /// Starts a task that the service owns and waits for.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends the taking of new work; work in progress goes on.
    pub(crate) fn drain(&self) {
        self.drain.cancel();
        self.tasks.close();
    }

    /// Ends work in progress.
    pub(crate) fn cut(&self) {
        self.cut.cancel();
    }

    /// Set once no new work may be taken.
    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.drain
    }

    /// Set once work in progress must let go.
    pub(crate) fn cut_off(&self) -> &CancellationToken {
        &self.cut
    }

    /// Waits until every task has ended; `false` if some have not by then.
    pub(crate) async fn finished_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}
