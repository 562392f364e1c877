//! `tegami dev`: builds and runs a service, and does so again when its sources change.

mod group;
mod watch;

use std::{ffi::OsString, io, path::PathBuf, process::ExitCode, process::ExitStatus, time::Duration};

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    output::{failed, printed},
    program::Program,
    shown::Shown,
};
use group::Group;
use watch::Watch;

const STOPPED: u8 = 0;
/// How many changed files are named.
const NAMED: usize = 3;

/// Build and run a service, and again whenever its sources, contracts or settings change.
///
/// While a build fails, what ran before goes on. Ends with Ctrl-C.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Watch this file or folder, too; can be given again.
    #[arg(long, value_name = "PATH")]
    watch: Vec<PathBuf>,
    /// How many seconds the service has to stop before it is killed.
    #[arg(long, value_name = "SECONDS", default_value_t = 45)]
    grace: u64,
    #[command(flatten)]
    program: Program,
}

const EXAMPLES: &str = "\
Examples:
  tegami dev
  tegami dev -- cargo run --bin billing --features amqp
  tegami dev --watch ../contracts -- ./target/debug/billing

Watched are src, proto, contracts, build.rs, Cargo.toml and tegami.toml of this folder. Before `cargo run …` comes
`cargo build …`, before any other program `cargo build`.

Exit codes:
  0  stopped, by Ctrl-C or a signal
  2  nothing can be watched, or cargo or the program cannot be run";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(async { Dev::new(arguments)?.serve().await })) {
        Ok(()) => printed(STOPPED, ""),
        Err(error) => failed(Shown(&error.to_string())),
    }
}

/// What is run, and what may come in between.
struct Dev {
    build: Vec<OsString>,
    program: Vec<OsString>,
    grace: Duration,
    watch: Watch,
    stop: [Signal; 3],
}

/// What happens while something runs.
enum Event {
    Changed(Vec<String>),
    Ended(ExitStatus),
    Stop,
}

impl Dev {
    fn new(arguments: &Arguments) -> io::Result<Self> {
        let program = arguments.program.words();
        Ok(Self {
            build: build(&program),
            program,
            grace: Duration::from_secs(arguments.grace),
            watch: Watch::new(&arguments.watch).map_err(io::Error::other)?,
            stop: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?],
        })
    }

    /// Until it is told to stop.
    async fn serve(&mut self) -> io::Result<()> {
        let mut service = None;
        loop {
            let mut build = Some(Group::start(&self.build)?);
            let built = self.next(&mut build).await?;
            if let Some(build) = build {
                build.kill().await?;
            }
            match built {
                Event::Stop => return self.end(service).await,
                Event::Changed(paths) => {
                    say_changed(&paths);
                    continue;
                }
                Event::Ended(status) if status.success() => {
                    self.end(service.take()).await?;
                    service = Some(Group::start(&self.program)?);
                }
                Event::Ended(_) if service.is_some() => say("the build failed; what ran before goes on"),
                Event::Ended(_) => say("the build failed; a change starts the next"),
            }
            match self.until_changed(&mut service).await? {
                Some(paths) => say_changed(&paths),
                None => return self.end(service).await,
            }
        }
    }

    /// What has changed; none, if it is told to stop.
    async fn until_changed(&mut self, service: &mut Option<Group>) -> io::Result<Option<Vec<String>>> {
        loop {
            match self.next(service).await? {
                Event::Changed(paths) => return Ok(Some(paths)),
                Event::Stop => return Ok(None),
                Event::Ended(status) => say(&format!("the program has ended ({status}); a change starts it again")),
            }
        }
    }

    /// What comes first. What has ended is taken away.
    async fn next(&mut self, running: &mut Option<Group>) -> io::Result<Event> {
        let ended = async {
            match running.as_mut() {
                Some(group) => group.ended().await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            biased;
            () = any(&mut self.stop) => Event::Stop,
            status = ended => Event::Ended(status?),
            paths = self.watch.changed() => Event::Changed(paths),
        };
        if matches!(event, Event::Ended(_)) {
            *running = None;
        }
        Ok(event)
    }

    /// Stops it within its time; told to stop again, at once.
    async fn end(&mut self, service: Option<Group>) -> io::Result<()> {
        let Some(mut service) = service else { return Ok(()) };
        service.ask_to_stop();
        tokio::select! {
            biased;
            status = service.ended() => drop(status?),
            () = any(&mut self.stop) => say("killed"),
            () = tokio::time::sleep(self.grace) => say(&format!("killed: it did not stop within {:?}", self.grace)),
        }
        service.kill().await
    }
}

async fn any([one, two, three]: &mut [Signal; 3]) {
    tokio::select! {
        biased;
        _ = one.recv() => {}
        _ = two.recv() => {}
        _ = three.recv() => {}
    }
}

/// What builds the program: the same for `cargo run`, but that it is seen, and without what the program itself is told.
fn build(program: &[OsString]) -> Vec<OsString> {
    let words = match program {
        [cargo, run, rest @ ..] if cargo == "cargo" && (run == "run" || run == "r") => rest,
        _ => &[],
    };
    let own = words.iter().take_while(|word| *word != "--").filter(|word| *word != "--quiet" && *word != "-q").cloned();
    ["cargo", "build"].into_iter().map(OsString::from).chain(own).collect()
}

fn say_changed(paths: &[String]) {
    let named: Vec<String> = paths.iter().take(NAMED).map(|path| Shown(path).to_string()).collect();
    let more = match paths.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    say(&format!("changed: {}{more}", named.join(", ")));
}

/// Between the lines of cargo and of the program, on standard error as cargo's.
fn say(text: &str) {
    use std::io::Write;
    // A terminal that is gone does not matter.
    let _ = writeln!(anstream::stderr(), "tegami dev: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_would_run_is_built_first() {
        for (program, expected) in [
            ("cargo run --quiet", "cargo build"),
            ("cargo run --bin billing --features amqp -- --verbose", "cargo build --bin billing --features amqp"),
            ("cargo r -p billing", "cargo build -p billing"),
            ("./target/debug/billing --bin", "cargo build"),
            ("cargo", "cargo build"),
            ("cargo watch", "cargo build"),
        ] {
            let words: Vec<OsString> = program.split(' ').map(OsString::from).collect();
            assert_eq!(build(&words).join(" ".as_ref()), expected, "{program}");
        }
    }
}
