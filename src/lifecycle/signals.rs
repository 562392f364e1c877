//! The signals that ask a process to stop, and the second one, which ends it.

use std::{
    future::pending,
    io, process,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
};

use tokio::{
    runtime::Builder,
    sync::oneshot::{self, Receiver, Sender, error::TryRecvError},
};

/// How many are there, in this process: signals are for all of them.
static THERE: AtomicUsize = AtomicUsize::new(0);

/// Tells of the first signal and ends the process on the second, from a thread of its own: no handler that blocks and no
/// runtime that waits for its threads keeps it from that.
///
/// Once it is dropped, each signal ends the process, unless another one is there: a process that has listened once is not ended by
/// the system any more.
pub(crate) struct Summons {
    first: Receiver<()>,
    _over: Sender<()>,
}

impl Summons {
    /// Listens from now on; this is the exit code of the second signal.
    pub(crate) async fn listen(code: i32) -> Self {
        THERE.fetch_add(1, SeqCst);
        let ((tell, first), (_over, over), (ready, listening)) =
            (oneshot::channel(), oneshot::channel(), oneshot::channel());
        let thread = thread::Builder::new().name("tegami-signals".to_owned());
        let listens = match thread.spawn(move || attend(code, ready, tell, over)) {
            Ok(_) => listening.await.map_err(io::Error::other).flatten(),
            Err(error) => Err(error),
        };
        if let Err(error) = listens {
            tracing::warn!(%error, "no thread that listens for signals; the first one ends the process");
        }
        Self { first, _over }
    }

    /// Waits for the first signal.
    pub(crate) async fn first(&mut self) {
        if (&mut self.first).await.is_err() {
            pending().await
        }
    }
}

impl Drop for Summons {
    fn drop(&mut self) {
        THERE.fetch_sub(1, SeqCst);
    }
}

/// What the thread does. A runtime is made there, for none may be dropped among tasks.
fn attend(code: i32, ready: Sender<io::Result<()>>, tell: Sender<()>, mut over: Receiver<()>) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(error))),
    };
    runtime.block_on(async {
        let mut signals = Signals::listen();
        // Nobody may be left to be told, then and later.
        let _ = ready.send(Ok(()));
        tokio::select! {
            biased;
            () = signals.next() => drop(tell.send(())),
            _ = &mut over => {}
        }
        loop {
            signals.next().await;
            let is_there = matches!(over.try_recv(), Err(TryRecvError::Empty));
            if is_there || THERE.load(SeqCst) == 0 {
                process::exit(code);
            }
        }
    });
}

/// Listens for SIGINT and SIGTERM, from when it is made.
pub(crate) struct Signals {
    #[cfg(unix)]
    kinds: [Option<tokio::signal::unix::Signal>; 2],
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen; what the system lets nobody listen to is left out.
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { kinds: [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()) }
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.kinds;
        tokio::select! {
            biased;
            () = received(interrupt) => {}
            () = received(terminate) => {}
        }
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen.
    pub(crate) fn listen() -> Self {
        Self {}
    }

    /// Waits for the next Ctrl-C; for ever, where the system lets nobody listen.
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}
