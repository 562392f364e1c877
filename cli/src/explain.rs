//! `tegami explain`: the way of one event, queue or handler, and why there is none.

use std::process::ExitCode;

use clap::Args;
use tegami::service::{DescribedQueue, Description};

use crate::{
    output::{failed, printed},
    program::Program,
    shown::Shown,
    topology::fed,
};

const FOUND: u8 = 0;
const NOWHERE: u8 = 1;

/// Explain the way of an event, a queue or a handler: from its topic through filter and queue to the handler, the
/// retries and the dead letters; or why there is none.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// An event, a queue or a handler: its name, or the end of it.
    name: String,
    #[command(flatten)]
    program: Program,
}

const EXAMPLES: &str = "\
Examples:
  tegami explain OrderPaid
  tegami explain billing-shop-orders-v1-OrderPaid -- ./billing

Exit codes:
  0  explained
  1  it goes nowhere: the text says why
  2  the program gave no answer";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match arguments.program.ask::<Description>("describe") {
        Ok(description) => match explained(&description, &arguments.name) {
            Ok(text) => printed(FOUND, &text),
            Err(why) => printed(NOWHERE, &why),
        },
        Err(none) => failed(none),
    }
}

/// The ways that this name is part of; or why there are none.
fn explained(description: &Description, name: &str) -> Result<String, String> {
    let service = Shown(&description.service);
    let mut text = String::new();
    for event in description.publishes.iter().filter(|event| is(&event.event, name)) {
        let (event, topic, key) = (Shown(&event.event), Shown(&event.topic), Shown(&event.routing_key));
        text += &format!("{service} publishes {event}\n    to {topic} (on AMQP with the routing key {key})\n");
    }
    for queue in &description.queues {
        text += &of_queue(queue, name);
    }
    if text.is_empty() { Err(nowhere(description, name)) } else { Ok(text) }
}

fn of_queue(queue: &DescribedQueue, name: &str) -> String {
    let own = is(&queue.name, name) || is(&queue.dead_letters, name);
    let ways = queue.events.iter().filter(|way| own || is(&way.event, name) || is(&way.handler, name));
    let ways: String = ways.map(fed).collect();
    if ways.is_empty() {
        return ways;
    }
    let (queue, dead) = (Shown(&queue.name), Shown(&queue.dead_letters));
    format!("queue {queue}\n{ways}    given up on, it goes to {dead}, with its reason\n")
}

/// Is it this name, or does it end so behind a separator?
fn is(full: &str, name: &str) -> bool {
    let rest = full.strip_suffix(name).filter(|_| !name.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', ':', '-']))
}

fn nowhere(description: &Description, name: &str) -> String {
    let (service, name) = (Shown(&description.service), Shown(name));
    let known = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<_> = names.map(|name| format!("\n    {}", Shown(name))).collect();
        if names.is_empty() { "\n    nothing".to_owned() } else { names.concat() }
    };
    let handled = known(&mut description.queues.iter().flat_map(|queue| queue.events.iter().map(|way| &way.event)));
    let publishes = known(&mut description.publishes.iter().map(|event| &event.event));
    format!(
        "{service} neither handles nor publishes {name}.\n  It handles{handled}\n  It says it publishes{publishes}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_the_end_of_one_behind_a_separator() {
        for (full, name, expected) in [
            ("shop.orders.v1.OrderPaid", "OrderPaid", true),
            ("shop.orders.v1.OrderPaid", "Paid", false),
            ("billing::send_receipt", "send_receipt", true),
            ("billing-orders", "billing-orders", true),
            ("billing-orders", "", false),
        ] {
            assert_eq!(is(full, name), expected, "{full} {name}");
        }
    }
}
