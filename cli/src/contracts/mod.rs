//! `tegami contracts`: the lock of the contracts, whether a change of them hurts somebody, and what releases wrote.

mod archive;
mod check;
mod formats;
mod lock;

use std::{io::Write, process::ExitCode};

use clap::{Args, Subcommand};

use crate::{output::printed, shown::Shown};

const FINE: u8 = 0;
const BREAKING: u8 = 1;
const NOT_TOLD: u8 = 2;

/// Write contracts.lock, compare contracts with those of before, keep what a release writes.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Archive(archive::Arguments),
    Lock(lock::Arguments),
    Check(check::Arguments),
    Rules(Rules),
}

/// List the rules of `tegami contracts check`, with what each catches and what to do.
#[derive(Args)]
struct Rules {}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Archive(arguments) => archive::run(arguments),
        Command::Lock(arguments) => lock::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Rules(Rules {}) => printed(FINE, &rules()),
    }
}

fn rules() -> String {
    let rules = tegami_codegen::RULES.iter();
    rules.map(|rule| format!("{}\n  {}\n  hint: {}\n", rule.id, rule.catches, rule.hint)).collect()
}

fn not_told(why: &str) -> ExitCode {
    let lines: Vec<_> = why.lines().map(|line| Shown(line).to_string()).collect();
    // Nothing is left to tell it to if this cannot be written.
    let _ = writeln!(anstream::stderr(), "tegami contracts: {}", lines.join("\n"));
    ExitCode::from(NOT_TOLD)
}
