//! The command line of tegami. Each subcommand has a file of its own.

mod ledger;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools for services that talk in typed events.
#[derive(Parser)]
#[command(name = "tegami", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Ledger(ledger::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Ledger(arguments) => ledger::run(&arguments),
    }
}
