//! `tegami dlq`: what a service gave up on, and why; back into its queue, or for good.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use tegami::service::{Choice, DescribedDeadLetter, DescribedMessage, Dropped, Redriven};

use crate::{
    output::{failed, json, printed},
    program::Program,
    reveal::Reveal,
    shown::Shown,
};

const NONE: u8 = 0;
const SOME: u8 = 1;

/// Look at dead letters, decoded by the service's own contracts, and put them back.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// How many there are, by queue and reason.
    Ls(Asked),
    /// Each with its reason, its error and its event, as its handler would get it today.
    Show(Asked),
    /// Which of them could be read today: try this before a redrive.
    Try(Asked),
    /// Put those of a queue back, all or the chosen, as themselves: their ids stay, their attempts begin anew.
    Redrive(Redrive),
    /// Delete chosen ones of a queue. Without `--yes`, only tells which.
    Drop(Dropping),
}

#[derive(Args)]
struct Asked {
    /// The queue whose dead letters are meant. Default: all that the service reads.
    queue: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reveal: Reveal,
    #[command(flatten)]
    program: Program,
}

#[derive(Args)]
struct Redrive {
    #[command(flatten)]
    chosen: Chosen,
    /// Only tell which.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    program: Program,
}

#[derive(Args)]
struct Dropping {
    #[command(flatten)]
    chosen: Chosen,
    /// All of the queue.
    #[arg(long)]
    all: bool,
    /// Do it. Each is told before it is deleted.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    program: Program,
}

/// Which of a queue: those that all of this is true of.
#[derive(Args)]
struct Chosen {
    /// The queue they came from.
    queue: String,
    /// Those with this id, or one of these.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// Those with this kind of reason, as `handler-error`, or with this text in their error.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    /// Those that could be read today.
    #[arg(long)]
    readable: bool,
    /// So many of them: the oldest, but on SQS, from a queue without order, any.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// So many a second, as `20/s`, or a minute, as `30/min`.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    rate: Option<f64>,
}

impl Chosen {
    fn choice(&self) -> Choice {
        let mut choice = Choice::default();
        (choice.queue, choice.ids, choice.reason) = (self.queue.clone(), self.id.clone(), self.reason.clone());
        (choice.readable, choice.limit, choice.rate) = (self.readable, self.limit, self.rate);
        choice
    }
}

/// An empty one would be in every error.
fn reason(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("give a kind of reason, or a text of the error".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// So many a second.
fn rate(text: &str) -> Result<f64, String> {
    let (number, seconds) = match text.split_once('/') {
        None | Some((_, "s")) => (text.trim_end_matches("/s"), 1.0),
        Some((number, "min")) => (number, 60.0),
        Some(_) => return Err("give a number a second, as `20/s`, or a minute, as `30/min`".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "give a number, as `20/s`".to_owned())?;
    match number.is_finite() && number > 0.0 {
        true => Ok(number / seconds),
        false => Err("give more than 0".to_owned()),
    }
}

const EXAMPLES: &str = "\
Examples:
  tegami dlq ls -- ./billing
  tegami dlq show billing-shop-orders-v1-OrderPaid -- ./billing
  tegami dlq redrive billing-shop-orders-v1-OrderPaid --reason handler-timeout --rate 20/s -- ./billing
  tegami dlq drop billing-shop-orders-v1-OrderPaid --reason undecodable -- ./billing

Where it is stopped, `redrive` and `drop` tell how many had left by then. Which ones `--limit` takes of an SQS queue without
order is not known before: neither do they come in an order, nor are they those that were only told.

Nothing is taken out of a queue but by `redrive` and `drop --yes`. `ls`, `show`, `try` and what only tells look at
10,000 of a queue at most.

Exit codes:
  0  there are none; or what was asked for was done
  1  there are some (ls, show); some cannot be read today (try)
  2  the program gave no answer: it says why
128 and the signal's number: it was stopped";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Ls(asked) => tell(asked, listed, |letters| !letters.is_empty()),
        Command::Show(asked) => tell(asked, shown, |letters| !letters.is_empty()),
        Command::Try(asked) => {
            tell(asked, tried, |letters| letters.iter().any(|letter| letter.message.unreadable.is_some()))
        }
        Command::Redrive(redrive) => put_back(redrive),
        Command::Drop(dropping) => delete(dropping),
    }
}

fn put_back(Redrive { chosen, dry_run, program }: &Redrive) -> ExitCode {
    let mut choice = chosen.choice();
    choice.dry_run = *dry_run;
    match program.ask_each::<Redriven>(&task("redrive", &choice), told) {
        Ok(Redriven { queue, redriven, .. }) => {
            let done = if *dry_run { "would be put back into" } else { "put back into" };
            printed(NONE, &format!("{redriven} {done} {}\n", Shown(&queue)))
        }
        Err(none) => failed(none),
    }
}

fn delete(Dropping { chosen, all, yes, program }: &Dropping) -> ExitCode {
    let mut choice = chosen.choice();
    (choice.all, choice.dry_run) = (*all, !yes);
    if !all && choice.ids.is_empty() && choice.reason.is_none() {
        return failed("say which: --id, --reason or --all");
    }
    match program.ask_each::<Dropped>(&task("drop", &choice), told) {
        Ok(Dropped { queue, dropped, .. }) => {
            let done = if *yes { "deleted of" } else { "would be deleted of" };
            let hint = if *yes || dropped == 0 { "" } else { "; --yes does it" };
            printed(NONE, &format!("{dropped} {done} {}{hint}\n", Shown(&queue)))
        }
        Err(none) => failed(none),
    }
}

/// The task in words; as an object, where a queue alone does not say it.
fn task(word: &str, choice: &Choice) -> String {
    let mut alone = Choice::default();
    alone.queue.clone_from(&choice.queue);
    match *choice == alone {
        true => format!("{word} {}", choice.queue),
        false => format!("{word} {}", serde_json::to_string(choice).expect("it is plain data")),
    }
}

/// A dead letter that is told before the answer; whatever else the program prints is none.
fn told(line: &str) -> io::Result<()> {
    let Ok(letter) = serde_json::from_str::<DescribedDeadLetter>(line) else { return Ok(()) };
    write!(anstream::stdout(), "{}", one(&letter))
}

type Letters = [DescribedDeadLetter];

fn tell(asked: &Asked, text: fn(&Letters) -> String, found: fn(&Letters) -> bool) -> ExitCode {
    let task = asked.reveal.task(&format!("dead-letters {}", asked.queue.as_deref().unwrap_or_default()));
    match asked.program.ask::<Vec<DescribedDeadLetter>>(task.trim_end()) {
        Ok(letters) => {
            let text = if asked.json { json(&letters) } else { text(&letters) };
            printed(if found(&letters) { SOME } else { NONE }, &text)
        }
        Err(none) => failed(none),
    }
}

fn listed(letters: &Letters) -> String {
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for letter in letters {
        *counts.entry((&letter.queue, letter.reason.kind.as_str())).or_default() += 1;
    }
    if counts.is_empty() {
        return "no dead letters\n".to_owned();
    }
    counts.into_iter().map(|((queue, reason), count)| format!("{count:>7}  {reason:<18}  {}\n", Shown(queue))).collect()
}

fn shown(letters: &Letters) -> String {
    let texts: Vec<_> = letters.iter().map(one).collect();
    if texts.is_empty() { "no dead letters\n".to_owned() } else { texts.join("\n") }
}

fn one(letter: &DescribedDeadLetter) -> String {
    let DescribedDeadLetter { message, queue, reason, .. } = letter;
    let DescribedMessage { id, size, key, payload, unreadable, .. } = message;
    let id = id.as_deref().unwrap_or("(no id)");
    let times = if reason.attempts == 1 { "once".to_owned() } else { format!("{} times", reason.attempts) };
    let mut text = format!("{} in {}\n", Shown(id), Shown(queue));
    text += &format!("  {}, tried {times}: {}\n", reason.kind, Shown(&reason.error));
    if let Some(key) = key {
        text += &format!("  key {}\n", Shown(key));
    }
    let event = reason.event.as_deref().unwrap_or("event");
    match (payload, unreadable) {
        (Some(payload), _) => text += &format!("  {} {}\n", Shown(event), Shown(payload.get())),
        (None, why) => {
            text += &format!("  {size} bytes that cannot be read: {}\n", Shown(why.as_deref().unwrap_or_default()));
        }
    }
    text
}

fn tried(letters: &Letters) -> String {
    let unread: Vec<_> = letters.iter().filter(|letter| letter.message.unreadable.is_some()).collect();
    let mut text = format!("{} of {} can be read today\n", letters.len() - unread.len(), letters.len());
    for letter in unread {
        let (id, why) = (
            letter.message.id.as_deref().unwrap_or("(no id)"),
            letter.message.unreadable.as_deref().unwrap_or_default(),
        );
        text += &format!("  {}: {}\n", Shown(id), Shown(why));
    }
    text
}
