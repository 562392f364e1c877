//! A service's own program, asked for one thing: it knows its contracts, its settings and the way to its brokers.

use std::{
    ffi::OsString,
    fmt,
    io::{self, BufRead, BufReader, ErrorKind, Write},
    process::{Child, Command, Stdio},
    thread,
};

use clap::Args;
use serde::de::DeserializeOwned;

use crate::stop::{self, Stop};

/// What runs the service where nothing else is said.
const DEFAULT: [&str; 3] = ["cargo", "run", "--quiet"];

/// The program of a service.
#[derive(Args)]
pub(crate) struct Program {
    /// The service's program and its arguments, as `-- ./billing`; settings come from its own file and environment.
    /// Default: `cargo run --quiet`.
    #[arg(last = true, value_name = "PROGRAM")]
    words: Vec<OsString>,
}

/// A program that runs, and what stops it.
struct Started {
    child: Child,
    stop: Stop,
}

/// Why a program gave no answer.
pub(crate) struct NoAnswer(String);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Program {
    /// Was one named?
    pub(crate) fn is_named(&self) -> bool {
        !self.words.is_empty()
    }

    /// Runs the program for this task, and reads its answer. What it prints on standard error is shown as it comes.
    pub(crate) fn ask<T: DeserializeOwned>(&self, task: &str) -> Result<T, NoAnswer> {
        self.ask_each(task, |_| Ok(()))
    }

    /// The same, with this on its standard input.
    pub(crate) fn ask_about<T: DeserializeOwned>(&self, task: &str, input: &[u8]) -> Result<T, NoAnswer> {
        let mut started = self.start(task, Stdio::piped())?;
        let mut stdin = started.child.stdin.take();
        thread::scope(|scope| {
            // It may print before it has read all; one that reads nothing says why by itself.
            scope.spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(input)));
            self.answer(task, started, |_| Ok(()))
        })
    }

    /// The same, with a look at each line as it comes, until that look fails. The last is the answer.
    pub(crate) fn ask_each<T: DeserializeOwned>(
        &self,
        task: &str,
        each: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<T, NoAnswer> {
        self.answer(task, self.start(task, Stdio::null())?, each)
    }

    /// Runs the program for this task, and looks at each of its lines as it comes, until that look fails or somebody
    /// stops it: that is its end.
    pub(crate) fn follow(&self, task: &str, each: impl FnMut(&str) -> io::Result<()>) -> Result<(), NoAnswer> {
        let followed = self.lines(task, self.start(task, Stdio::null())?, each);
        match stop::taken() {
            Some(_) => Ok(()),
            None => followed,
        }
    }

    fn answer<T: DeserializeOwned>(
        &self,
        task: &str,
        child: Started,
        mut each: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<T, NoAnswer> {
        let mut last = String::new();
        self.lines(task, child, |line| {
            line.clone_into(&mut last);
            each(line)
        })?;
        serde_json::from_str(&last).map_err(|error| {
            let hint = "is it a service that runs with tegami's `run`, of this release?";
            NoAnswer(format!("{} gave no answer to `{task}` ({error}); {hint}", self.shown()))
        })
    }

    fn lines(
        &self,
        task: &str,
        Started { mut child, stop }: Started,
        mut each: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<(), NoAnswer> {
        let failed = |error| NoAnswer(format!("{} cannot be listened to: {error}", self.shown()));
        if let Some(stdout) = child.stdout.take() {
            // Whoever reads no more has read enough: the program ends with its next line.
            let mut lines = BufReader::new(stdout).split(b'\n');
            let looked = lines.try_for_each(|line| each(&String::from_utf8_lossy(&line?)));
            drop(lines);
            looked.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(failed(error)) })?;
        }
        let status = stop.ended(&mut child).map_err(failed)?;
        match status.success() {
            true => Ok(()),
            false if stop::asked() => Err(NoAnswer(format!("{} was stopped: {status}", self.shown()))),
            false => Err(NoAnswer(format!("{} could not `{task}`: {status}; it says why above", self.shown()))),
        }
    }

    fn start(&self, task: &str, stdin: Stdio) -> Result<Started, NoAnswer> {
        let words = self.words();
        let none = |error| NoAnswer(format!("{} cannot be run: {error}", self.shown()));
        // Before it runs: a signal that comes at once is for it, too.
        let stop = Stop::listen().map_err(none)?;
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env("TEGAMI_TASK", task);
        let started = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let child = started.map_err(none)?;
        stop.is_for(&child);
        Ok(Started { child, stop })
    }

    /// What runs it, and its arguments.
    pub(crate) fn words(&self) -> Vec<OsString> {
        match &self.words[..] {
            [] => DEFAULT.map(OsString::from).to_vec(),
            words => words.to_vec(),
        }
    }

    fn shown(&self) -> String {
        format!("`{}`", self.words().join(" ".as_ref()).to_string_lossy().escape_debug())
    }
}
