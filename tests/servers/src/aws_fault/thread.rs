//! A thread of the proxy's own: whoever counts the tasks of a test counts none of ours.

use std::{
    io,
    thread::{self, JoinHandle},
};

use tokio::{runtime::Builder, sync::oneshot};

/// A thread that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Thread {
    stop: Option<oneshot::Sender<()>>,
    handle: Option<JoinHandle<io::Result<()>>>,
}

impl Thread {
    /// Has something begin on a thread of its own, and go on there; what it began with.
    ///
    /// # Errors
    /// It cannot begin.
    pub(super) async fn running<T, F, W>(begin: F) -> io::Result<(Self, T)>
    where
        T: Send + 'static,
        F: AsyncFnOnce() -> io::Result<(T, W)> + Send + 'static,
        W: Future<Output = ()>,
    {
        let ((begun, beginning), (stop, stopped)) = (oneshot::channel(), oneshot::channel());
        let handle = thread::Builder::new().name("aws-fault".to_owned()).spawn(move || {
            Builder::new_current_thread().enable_all().build()?.block_on(async {
                let (with, work) = begin().await?;
                // Nobody waits any more: the test is over.
                let _ = begun.send(with);
                tokio::select! {
                    _ = stopped => {}
                    () = work => {}
                }
                Ok(())
            })
        })?;
        let mut thread = Self { stop: Some(stop), handle: Some(handle) };
        match beginning.await {
            Ok(with) => Ok((thread, with)),
            Err(_) => Err(thread.end().err().unwrap_or_else(|| io::ErrorKind::Other.into())),
        }
    }

    /// Ends it, with all that it has open.
    fn end(&mut self) -> io::Result<()> {
        self.stop.take();
        let ended = self.handle.take().map(JoinHandle::join);
        // A panic was told of when it happened.
        ended.map_or(Ok(()), |ended| ended.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
