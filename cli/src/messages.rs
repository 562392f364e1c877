//! `tegami publish`, `peek` and `tail`: messages in and out of a service's topics and queues, by its own contracts.

use std::{
    fs,
    io::{self, Read, Write},
    process::ExitCode,
};

use clap::{Args, builder::RangedU64ValueParser};
use tegami::service::{DescribedMessage, Peek as Look, Posted};

use crate::{
    output::{failed, json, printed},
    program::Program,
    reveal::Reveal,
    shown::{self, Shown},
};

const DONE: u8 = 0;

/// Publish an event that is given as JSON, as the service would: checked by its contract, through its publisher.
#[derive(Args)]
#[command(after_long_help = PUBLISH)]
pub(crate) struct Publish {
    /// An event that the service publishes or handles: its name, or the end of it.
    event: String,
    /// The event in canonical JSON, or `@file`, or `-` for standard input.
    #[arg(default_value = "-")]
    json: String,
    #[command(flatten)]
    program: Program,
}

/// Look at what waits in a queue, as its handlers would get it. It goes back, and is handled as before.
#[derive(Args)]
#[command(after_long_help = PEEK)]
pub(crate) struct Peek {
    /// The queue.
    queue: String,
    /// How many messages at most, 1 to 100.
    #[arg(long, default_value_t = 10, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100))]
    limit: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reveal: Reveal,
    #[command(flatten)]
    program: Program,
}

/// Follow what flows from now on, beside all who read it, until Ctrl-C.
#[derive(Args)]
#[command(after_long_help = TAIL)]
pub(crate) struct Tail {
    /// An event (its name, or the end of it), or a queue of the service: all that flows into it.
    what: String,
    /// Print each as a line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reveal: Reveal,
    #[command(flatten)]
    program: Program,
}

const PUBLISH: &str = "\
Examples:
  tegami publish OrderPaid '{\"order_id\": \"o-1\"}' -- ./billing
  tegami publish OrderPaid @order.json -- ./billing

Exit codes:
  0  the broker has it
  2  it was not published, or nobody knows: the program says why";

const PEEK: &str = "\
Each broker counts that a message was handed out, so look now and then, and not in a loop: see the guide.

Exit codes:
  0  shown
  2  the program gave no answer: it says why";

const TAIL: &str = "\
On RabbitMQ it has a queue of its own that goes with it; SNS is asked to copy into a queue of SQS, which is deleted
at the end. What is in memory is in one process alone, and cannot be followed.

Exit codes:
  0  it was stopped
  2  it cannot be followed: the program says why";

/// Runs `publish`.
pub(crate) fn publish(arguments: &Publish) -> ExitCode {
    let json = match given(&arguments.json) {
        Ok(json) => json,
        Err(why) => return failed(format_args!("the event cannot be read: {why}")),
    };
    match arguments.program.ask_about::<Posted>(&format!("publish {}", arguments.event), &json) {
        Ok(posted) => printed(DONE, &told(&posted)),
        Err(none) => failed(none),
    }
}

/// What was published: a field that the contract does not have is not in it.
fn told(Posted { event, id, payload, .. }: &Posted) -> String {
    let payload = payload.as_ref().map_or_else(String::new, |payload| format!("  {}\n", Shown(payload.get())));
    format!("{} published as {}\n{payload}", Shown(event), Shown(id))
}

fn given(json: &str) -> Result<Vec<u8>, String> {
    if let Some(file) = json.strip_prefix('@') {
        return fs::read(file).map_err(|error| format!("`{}`: {error}", Shown(file)));
    }
    if json != "-" {
        return Ok(json.as_bytes().to_vec());
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes).map_err(|error| error.to_string())
}

/// Runs `peek`.
pub(crate) fn peek(arguments: &Peek) -> ExitCode {
    let mut look = Look::default();
    (look.queue, look.limit) = (arguments.queue.clone(), arguments.limit);
    let look = serde_json::to_string(&look).expect("it is plain data");
    let task = arguments.reveal.task(&format!("peek {look}"));
    match arguments.program.ask::<Vec<DescribedMessage>>(&task) {
        Ok(messages) if arguments.json => printed(DONE, &json(&messages)),
        Ok(messages) if messages.is_empty() => printed(DONE, "nothing waits that could be had\n"),
        Ok(messages) => printed(DONE, &messages.iter().map(line).collect::<String>()),
        Err(none) => failed(none),
    }
}

/// Runs `tail`.
pub(crate) fn tail(arguments: &Tail) -> ExitCode {
    let followed = arguments.program.follow(&arguments.reveal.task(&format!("tail {}", arguments.what)), |text| {
        // What the program prints beside is none.
        let Ok(message) = serde_json::from_str::<DescribedMessage>(text) else { return Ok(()) };
        let json = || shown::json(&serde_json::to_string(&message).expect("it is plain data")) + "\n";
        let mut out = anstream::stdout().lock();
        out.write_all(if arguments.json { json() } else { line(&message) }.as_bytes())?;
        out.flush()
    });
    followed.map_or_else(failed, |()| ExitCode::from(DONE))
}

fn line(message: &DescribedMessage) -> String {
    let DescribedMessage { id, event, size, key, payload, unreadable, .. } = message;
    let id = Shown(id.as_deref().unwrap_or("(no id)")).to_string();
    let key = key.as_ref().map_or_else(String::new, |key| format!(" key {}", Shown(key)));
    match (payload, unreadable) {
        (Some(payload), _) => {
            format!("{id}{key} {} {}\n", Shown(event.as_deref().unwrap_or("event")), Shown(payload.get()))
        }
        (None, why) => {
            format!("{id}{key} {size} bytes that cannot be read: {}\n", Shown(why.as_deref().unwrap_or_default()))
        }
    }
}
