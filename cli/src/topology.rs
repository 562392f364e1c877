//! `tegami plan`, `verify` and `apply`: what a service needs from its brokers, and what they have.

use std::process::ExitCode;

use clap::Args;
use tegami::service::{Compared, DescribedHandler, DescribedQueue, Description};

use crate::{
    output::{failed, json, printed},
    program::{NoAnswer, Program},
    shown::Shown,
};

const AS_PLANNED: u8 = 0;
const DIFFERS: u8 = 1;

/// Show what a service needs: its topics, queues, retries and dead letters. Connects to nothing.
///
/// The service's own program is asked, so that plan and service cannot differ.
#[derive(Args)]
#[command(after_long_help = PLAN_EXAMPLES)]
pub(crate) struct Plan {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    program: Program,
}

/// Compare what the brokers have with what a service needs. Changes nothing.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Verify {
    #[command(flatten)]
    program: Program,
}

/// Create what is missing on the brokers. What is there and differs is told, and left as it is.
#[derive(Args)]
#[command(after_long_help = APPLY_EXAMPLES)]
pub(crate) struct Apply {
    #[command(flatten)]
    program: Program,
}

const PLAN_EXAMPLES: &str = "\
Examples:
  tegami plan                                of the package in this folder
  TEGAMI_PREFIX=staging- tegami plan -- ./billing

Exit codes:
  0  shown
  2  the program gave no answer";

const EXAMPLES: &str = "\
Examples:
  TEGAMI_TRANSPORT=amqp://user:password@host/ tegami verify -- ./billing

Exit codes:
  0  the brokers have what the service needs
  1  something is missing, or differs
  2  the program gave no answer: it says why";

const APPLY_EXAMPLES: &str = "\
Examples:
  TEGAMI_TRANSPORT=amqp://user:password@host/ tegami apply -- ./billing

Exit codes:
  0  the brokers now have what the service needs
  1  something is there and differs: it was left as it is
  2  the program gave no answer: it says why";

/// Runs `plan`.
pub(crate) fn plan(arguments: &Plan) -> ExitCode {
    match arguments.program.ask::<Description>("describe") {
        Ok(description) => {
            let text = if arguments.json { json(&description) } else { planned(&description) };
            printed(AS_PLANNED, &text)
        }
        Err(none) => failed(none),
    }
}

/// Runs `verify`.
pub(crate) fn verify(arguments: &Verify) -> ExitCode {
    compared(arguments.program.ask("verify"), "has what the service needs")
}

/// Runs `apply`.
pub(crate) fn apply(arguments: &Apply) -> ExitCode {
    compared(arguments.program.ask("provision"), "now has what the service needs")
}

fn compared(answer: Result<Compared, NoAnswer>, fine: &str) -> ExitCode {
    match answer {
        Ok(Compared { transport, differs, .. }) if differs.is_empty() => {
            printed(AS_PLANNED, &format!("{} {fine}\n", Shown(&transport)))
        }
        Ok(Compared { transport, differs, .. }) => {
            let each = differs.iter().map(|one| format!("{} differs: {}\n", Shown(&transport), Shown(one)));
            printed(DIFFERS, &each.collect::<String>())
        }
        Err(none) => failed(none),
    }
}

/// The plan for people.
fn planned(description: &Description) -> String {
    let mut text = format!("{}\n", Shown(&description.service));
    for event in &description.publishes {
        text += &format!("\n  publishes {}\n    to {}\n", Shown(&event.event), Shown(&event.topic));
    }
    for queue in &description.queues {
        text += &format!("\n  queue {}{}\n", Shown(&queue.name), kept(queue));
        queue.events.iter().for_each(|event| text += &fed(event));
        text += &format!("    dead letters in {}\n", Shown(&queue.dead_letters));
    }
    text
}

/// How a queue keeps its messages, where that is not as most do.
fn kept(queue: &DescribedQueue) -> String {
    let via = queue.transport.as_ref().map(|name| format!("on {}", Shown(name)));
    let ordered = queue.ordered.then(|| "in order per key".to_owned());
    let halts = queue.halts_on_dead_letters.then(|| "a dead letter halts its key".to_owned());
    let each = queue.per_instance.then(|| "one for each instance".to_owned());
    let words: Vec<_> = [via, ordered, halts, each].into_iter().flatten().collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// An event's way into a queue and to its handler.
pub(crate) fn fed(way: &DescribedHandler) -> String {
    let mut text = format!("    <- {} from {}\n", Shown(&way.event), Shown(&way.topic));
    if let Some(newer) = &way.upcast_to {
        text += &format!("       made into {}\n", Shown(newer));
    }
    if let Some(filter) = &way.filter {
        text += &format!("       if {}\n", Shown(filter));
    }
    let retries: Vec<_> = way.retry_after_seconds.iter().map(|delay| format!("{delay} s")).collect();
    let retries =
        if retries.is_empty() { "never again".to_owned() } else { format!("again after {}", retries.join(", ")) };
    text + &format!("       handled by {}, {} s an attempt, {retries}\n", Shown(&way.handler), way.timeout_seconds)
}
