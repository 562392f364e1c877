//! The command line of tegami. Each subcommand has a file of its own.

mod async_api;
mod contracts;
#[cfg(unix)]
mod dev;
mod dlq;
mod explain;
mod export;
mod folder;
mod ledger;
mod messages;
mod new;
mod output;
mod program;
mod prune;
mod reveal;
mod shown;
mod site;
mod stop;
mod topology;

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
    Apply(topology::Apply),
    #[command(name = "asyncapi")]
    AsyncApi(async_api::Arguments),
    Contracts(contracts::Arguments),
    #[cfg(unix)]
    Dev(dev::Arguments),
    Dlq(dlq::Arguments),
    Explain(explain::Arguments),
    Export(export::Arguments),
    Ledger(ledger::Arguments),
    New(new::Arguments),
    Peek(messages::Peek),
    Plan(topology::Plan),
    Prune(prune::Arguments),
    Publish(messages::Publish),
    Site(site::Arguments),
    Tail(messages::Tail),
    Verify(topology::Verify),
}

fn main() -> ExitCode {
    let code = run(Arguments::parse().command);
    stop::taken().map_or(code, ExitCode::from)
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Apply(arguments) => topology::apply(&arguments),
        Command::AsyncApi(arguments) => async_api::run(&arguments),
        Command::Contracts(arguments) => contracts::run(&arguments),
        #[cfg(unix)]
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Dlq(arguments) => dlq::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Ledger(arguments) => ledger::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Peek(arguments) => messages::peek(&arguments),
        Command::Plan(arguments) => topology::plan(&arguments),
        Command::Prune(arguments) => prune::run(&arguments),
        Command::Publish(arguments) => messages::publish(&arguments),
        Command::Site(arguments) => site::run(&arguments),
        Command::Tail(arguments) => messages::tail(&arguments),
        Command::Verify(arguments) => topology::verify(&arguments),
    }
}
