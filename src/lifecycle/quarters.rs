//! A thread with a runtime of its own, for what must go on while handlers block every thread of the service's, and for what
//! the end of the service's runtime would wait for.

use std::{future::Future, io, thread};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The thread. It ends with this, and its tasks with it.
#[derive(Debug)]
pub(crate) struct Quarters {
    handle: Handle,
    _end: DropGuard,
}

impl Quarters {
    /// Starts a thread of this name.
    pub(crate) fn open(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, end) = (runtime.handle().clone(), CancellationToken::new());
        let ended = end.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(ended.cancelled()))?;
        Ok(Self { handle, _end: end.drop_guard() })
    }

    /// For those who start tasks there by themselves.
    #[cfg(feature = "amqp")]
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Has this run there, until it ends or the thread does.
    #[cfg(feature = "aws")]
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }

    /// Runs this there; an error, if the thread ended first.
    ///
    /// # Cancel safety
    /// It goes on without its caller.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        self.handle.spawn(work).await.map_err(io::Error::other)
    }
}
