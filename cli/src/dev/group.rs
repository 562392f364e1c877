//! A program with all that it starts, which end together.

use std::{ffi::OsString, io, process::ExitStatus, process::Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::shown::Shown;

/// A process group of its own: Ctrl-C at the terminal does not reach it, and a signal reaches all of it.
pub(super) struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    /// Starts a program; there is nobody to ask it anything.
    pub(super) fn start(words: &[OsString]) -> io::Result<Self> {
        let mut command = Command::new(&words[0]);
        let child = command.args(&words[1..]).stdin(Stdio::null()).process_group(0).spawn().map_err(|error| {
            let program = words[0].to_string_lossy();
            io::Error::new(error.kind(), format!("`{}` cannot be run: {error}", Shown(&program)))
        })?;
        let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        Ok(Self { child, id })
    }

    /// How it ends by itself.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    pub(super) fn ask_to_stop(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends whatever is left of it.
    pub(super) async fn kill(mut self) -> io::Result<()> {
        self.signal(Signal::KILL);
        self.child.wait().await.map(drop)
    }

    fn signal(&self, signal: Signal) {
        // It may have ended meanwhile.
        let _ = self.id.map(|id| kill_process_group(id, signal));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
