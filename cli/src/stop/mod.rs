//! Whoever stops the command stops the program that it asks, which ends in its own way.

#[cfg(not(unix))]
mod off;
#[cfg(unix)]
mod on;

#[cfg(not(unix))]
pub(crate) use off::Stop;
#[cfg(unix)]
pub(crate) use on::Stop;

use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

/// The number of the first signal that came while a program ran; 0, if none did.
static SIGNAL: AtomicU8 = AtomicU8::new(0);
/// What is added to it, as shells do.
const SIGNALLED: u8 = 128;

/// Was the command asked to stop?
pub(crate) fn asked() -> bool {
    SIGNAL.load(SeqCst) != 0
}

/// The exit code of a command that was asked to stop. Who takes it ends well.
pub(crate) fn taken() -> Option<u8> {
    match SIGNAL.swap(0, SeqCst) {
        0 => None,
        signal => Some(SIGNALLED + signal),
    }
}
