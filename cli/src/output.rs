//! What every command says, and the exit code with it.

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;

use crate::shown;

/// The exit code where there is no answer.
const NO_ANSWER: u8 = 2;

/// Prints the answer; the exit code says the same, unless it cannot be printed. Whoever reads no more has read enough.
pub(crate) fn printed(code: u8, text: &str) -> ExitCode {
    match write!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(format_args!("cannot print: {error}")),
        _ => ExitCode::from(code),
    }
}

/// An answer as JSON, which steers no terminal.
pub(crate) fn json(answer: &impl Serialize) -> String {
    shown::json(&serde_json::to_string_pretty(answer).expect("it is plain data")) + "\n"
}

/// Says why there is no answer.
pub(crate) fn failed(why: impl Display) -> ExitCode {
    // Nothing is left to tell it to if this cannot be written.
    let _ = writeln!(anstream::stderr(), "error: {why}");
    ExitCode::from(NO_ANSWER)
}
