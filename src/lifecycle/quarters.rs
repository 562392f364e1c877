//! A thread with a runtime of its own, for what must go on while handlers block every thread of the service's, and for what
//! the end of the service's runtime would wait for.

use std::{
    future::Future,
    io,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

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
        let (end, (tell, told)) = (CancellationToken::new(), sync_channel(1));
        let ended = end.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || attend(&tell, &ended))?;
        let handle = told.recv().map_err(io::Error::other)??;
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

/// What the thread does. A runtime is made there, for none may be dropped among tasks.
fn attend(tell: &SyncSender<io::Result<Handle>>, ended: &CancellationToken) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(tell.send(Err(error))),
    };
    // Whoever asked waits for this.
    let _ = tell.send(Ok(runtime.handle().clone()));
    runtime.block_on(ended.cancelled());
}
