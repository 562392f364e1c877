//! SIGINT, SIGTERM and SIGHUP, handed on to the program as SIGTERM.

use std::{
    io,
    process::{self, Child, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::SeqCst},
    thread,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{self, SignalKind, signal},
};

use super::{SIGNAL, SIGNALLED};

/// What ends the command, and the numbers by which shells know it.
const KINDS: [(fn() -> SignalKind, u8); 3] =
    [(SignalKind::interrupt, 2), (SignalKind::terminate, 15), (SignalKind::hangup, 1)];

/// The program that a signal is for.
pub(crate) struct Stop(Arc<Mutex<Whose>>);

/// Whom a signal is for.
#[derive(Clone, Copy)]
enum Whose {
    /// Nobody's yet: the program is told as soon as it runs.
    Early,
    /// The program's.
    Its(Pid),
    /// Ours alone.
    Ours,
}

impl Stop {
    /// Listens from now on, for as long as the command runs.
    pub(crate) fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let signals = listening(&runtime)?;
        let whose = Arc::new(Mutex::new(Whose::Early));
        let (stop, threads) = (Self(whose.clone()), thread::Builder::new().name("signals".to_owned()));
        threads.spawn(move || runtime.block_on(pass_on(signals, &whose)))?;
        Ok(stop)
    }

    /// From now on, signals are for this one.
    pub(crate) fn is_for(&self, child: &Child) {
        let mut whose = lock(&self.0);
        let Some(id) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return };
        *whose = Whose::Its(id);
        if super::asked() {
            end(id, Signal::TERM);
        }
    }

    /// Waits until it has ended. Its number is another's only after that.
    pub(crate) fn ended(self, child: &mut Child) -> io::Result<ExitStatus> {
        let id = *lock(&self.0);
        if let Whose::Its(id) = id {
            while let Err(rustix::io::Errno::INTR) =
                waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            {}
        }
        *lock(&self.0) = Whose::Ours;
        child.wait()
    }
}

fn listening(runtime: &Runtime) -> io::Result<[unix::Signal; 3]> {
    let _inside = runtime.enter();
    let [one, two, three] = KINDS.map(|(kind, _)| signal(kind()));
    Ok([one?, two?, three?])
}

/// Hands the first one on; by the second both end at once.
async fn pass_on(mut signals: [unix::Signal; 3], whose: &Mutex<Whose>) {
    loop {
        let number = next(&mut signals).await;
        let again = SIGNAL.compare_exchange(0, number, SeqCst, SeqCst).is_err();
        let whose = lock(whose);
        match *whose {
            Whose::Early if !again => {}
            Whose::Its(id) if !again => end(id, Signal::TERM),
            Whose::Its(id) => {
                end(id, Signal::KILL);
                process::exit((SIGNALLED + number).into());
            }
            Whose::Early | Whose::Ours => process::exit((SIGNALLED + number).into()),
        }
    }
}

async fn next([interrupt, terminate, hangup]: &mut [unix::Signal; 3]) -> u8 {
    let which = tokio::select! {
        biased;
        _ = interrupt.recv() => 0,
        _ = terminate.recv() => 1,
        _ = hangup.recv() => 2,
    };
    KINDS[which].1
}

fn end(id: Pid, signal: Signal) {
    // It may have ended meanwhile.
    let _ = kill_process(id, signal);
}

fn lock(whose: &Mutex<Whose>) -> MutexGuard<'_, Whose> {
    whose.lock().unwrap_or_else(PoisonError::into_inner)
}
