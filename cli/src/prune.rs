//! `tegami prune`: what earlier releases of a service left on its brokers, and away with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use tegami::service::{Description, Pruned};

use crate::{
    output::{failed, json, printed},
    program::Program,
    shown::Shown,
};

const NONE: u8 = 0;
const SOME: u8 = 1;

/// Tell which queues of earlier releases are left on the brokers, and with `--yes` delete those that may go.
///
/// A queue may go if its dead letters are empty as well, and nobody reads it. What is not the service's own is never
/// touched: its name begins with the service's, and an earlier plan of this service has it.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What `tegami plan --json` printed of an earlier release; it may be given several times.
    #[arg(long, required = true, value_name = "PLAN")]
    former: Vec<PathBuf>,
    /// Delete them.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    program: Program,
}

const EXAMPLES: &str = "\
Examples:
  tegami plan --json -- ./billing > released.json       with each release, kept
  tegami prune --former released.json -- ./billing      once the next release runs alone
  tegami prune --former released.json --yes -- ./billing

Exit codes:
  0  nothing is left
  1  something is left: what may go (without --yes), or what must stay
  2  the program gave no answer: it says why";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut plans = Vec::new();
    for path in &arguments.former {
        match plan(path) {
            Ok(plan) => plans.extend(plan.into_bytes()),
            Err(why) => return failed(why),
        }
    }
    let (task, fate) = if arguments.yes { ("prune delete", "deleted") } else { ("prune", "may go:") };
    match arguments.program.ask_about::<Vec<Pruned>>(task, &plans) {
        Ok(pruned) => {
            let text = if arguments.json { json(&pruned) } else { told(&pruned, fate) };
            let stays = |pruned: &Pruned| pruned.remnants.iter().any(|left| !arguments.yes || left.kept.is_some());
            printed(if pruned.iter().any(stays) { SOME } else { NONE }, &text)
        }
        Err(none) => failed(none),
    }
}

/// An earlier plan as it was told: the program knows what of it counts.
fn plan(path: &Path) -> Result<String, String> {
    let name = path.to_string_lossy();
    let text = fs::read_to_string(path).map_err(|error| format!("`{}` cannot be read: {error}", Shown(&name)))?;
    match serde_json::from_str::<Description>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("`{}` is not what `tegami plan --json` prints: {error}", Shown(&name))),
    }
}

fn told(pruned: &[Pruned], fate: &str) -> String {
    let mut text = String::new();
    for Pruned { transport, remnants, .. } in pruned {
        for left in remnants {
            let with = left.with.iter().map(|name| format!(", {}", Shown(name)));
            let names = format!("{}{}", Shown(&left.queue), with.collect::<String>());
            text += &match &left.kept {
                Some(why) => format!("{}: stays: {names}: {}\n", Shown(transport), Shown(why)),
                None => format!("{}: {fate} {names}\n", Shown(transport)),
            };
        }
    }
    if text.is_empty() { "nothing is left of earlier plans\n".to_owned() } else { text }
}
