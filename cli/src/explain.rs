//! `tegami explain`: the way of one event, queue, handler or service, and why there is none.

use std::{collections::BTreeSet, fs, path::PathBuf, process::ExitCode};

use clap::Args;
use tegami::service::{DescribedEvent, DescribedHandler, DescribedQueue, Description};

use crate::{
    output::{failed, printed},
    program::Program,
    shown::Shown,
    topology::fed,
};

const FOUND: u8 = 0;
const NOWHERE: u8 = 1;

/// Explain the way of an event, a queue, a handler or a service, or why there is none.
///
/// It goes from a topic through filter and queue to the handler, the retries and the dead letters.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// An event, a queue or a handler: its name, or the end of it. Or the service.
    name: String,
    /// What `tegami plan --json` printed of another service, which may handle or publish it; can be given again.
    #[arg(long, value_name = "PLAN")]
    with: Vec<PathBuf>,
    #[command(flatten)]
    program: Program,
}

const EXAMPLES: &str = "\
Examples:
  tegami explain OrderPaid
  tegami explain billing-shop-orders-v1-OrderPaid -- ./billing
  tegami plan --json -- ./shipping > shipping.json
  tegami explain OrderPaid --with shipping.json -- ./billing

Exit codes:
  0  explained
  1  it goes nowhere: the text says why
  2  the program gave no answer, or a plan cannot be read";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let services = arguments.program.ask::<Description>("describe").map_err(|none| none.to_string());
    match services.and_then(|own| with(own, &arguments.with)) {
        Ok(services) => {
            let Explained { text, goes } = explained(&services, &arguments.name);
            printed(if goes { FOUND } else { NOWHERE }, &text)
        }
        Err(why) => failed(why),
    }
}

fn with(own: Description, others: &[PathBuf]) -> Result<Vec<Description>, String> {
    let mut services = vec![own];
    for path in others {
        let text = fs::read_to_string(path).map_err(|error| error.to_string());
        let plan = text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        let wrong = |why: String| format!("`{}` is no plan: {}", Shown(&path.to_string_lossy()), Shown(&why));
        services.push(plan.map_err(wrong)?);
    }
    Ok(services)
}

/// What is said of a name.
struct Explained {
    text: String,
    /// Does it go anywhere, as far as can be known?
    goes: bool,
}

/// The ways that this name is part of; or why there are none.
fn explained(services: &[Description], name: &str) -> Explained {
    let (mut text, mut goes) = (String::new(), true);
    for service in services {
        let whole = service.service == name;
        for event in service.publishes.iter().filter(|event| whole || is(&event.event, name)) {
            let unheard = unheard(services, event);
            // Of one service alone it is not known who else handles it.
            goes &= unheard.is_empty() || services.len() == 1;
            let (event, topic, key) = (Shown(&event.event), Shown(&event.topic), Shown(&event.routing_key));
            text += &format!("{} publishes {event}\n", Shown(&service.service));
            text += &format!("    to {topic} (on AMQP with the routing key {key})\n{unheard}");
        }
        text += &service.queues.iter().map(|queue| of_queue(queue, name, whole)).collect::<String>();
    }
    if text.is_empty() {
        return Explained { text: services.iter().map(|service| nowhere(service, name)).collect(), goes: false };
    }
    Explained { text, goes }
}

/// Why no handler gets this, if none does; and where on RabbitMQ none does, for which it is the routing key that counts.
fn unheard(services: &[Description], event: &DescribedEvent) -> String {
    let (mut elsewhere, mut otherwise) = (BTreeSet::new(), BTreeSet::new());
    for service in services {
        let ways = service.queues.iter().flat_map(|queue| &queue.events);
        for way in ways.filter(|way| way.event == event.event) {
            match (way.topic == event.topic, way.routing_key == event.routing_key) {
                (true, true) => return String::new(),
                (true, false) => otherwise.insert((&service.service, &way.routing_key)),
                (false, _) => elsewhere.insert((&service.service, &way.topic)),
            };
        }
    }
    let names: Vec<_> = services.iter().map(|service| Shown(&service.service).to_string()).collect();
    let hint = if services.len() == 1 { "; `--with` the plan of another tells whether that does" } else { "" };
    let mut text = match otherwise.is_empty() {
        true => format!("    not handled by {}{hint}\n", names.join(", ")),
        false => String::new(),
    };
    for (service, key) in otherwise {
        let (service, key) = (Shown(service), Shown(key));
        text += &format!("    {service} expects it with the routing key {key}: on RabbitMQ it does not come\n");
    }
    for (service, topic) in elsewhere {
        text += &format!("    {} expects it on {}\n", Shown(service), Shown(topic));
    }
    text
}

fn of_queue(queue: &DescribedQueue, name: &str, whole: bool) -> String {
    let own = whole || is(&queue.name, name) || is(&queue.dead_letters, name);
    let ways = queue.events.iter().filter(|way| own || is(&way.event, name) || is(&way.handler, name));
    let (text, filtered): (String, String) = ways.map(|way| (fed(way), filtered(way))).unzip();
    if text.is_empty() {
        return text;
    }
    let (queue, dead) = (Shown(&queue.name), Shown(&queue.dead_letters));
    format!("queue {queue}\n{text}{filtered}    given up on, it goes to {dead}, with its reason\n")
}

/// What does not come that way.
fn filtered(way: &DescribedHandler) -> String {
    let unless = |filter: &String| format!("    filtered out: {} unless {}\n", Shown(&way.event), Shown(filter));
    way.filter.as_ref().map(unless).unwrap_or_default()
}

/// Is it this name, or does it end so behind a separator?
fn is(full: &str, name: &str) -> bool {
    let rest = full.strip_suffix(name).filter(|_| !name.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', ':', '-']))
}

/// An event's name without its version.
fn unversioned(name: &str) -> String {
    let is_version = |part: &&str| {
        part.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.split('.').filter(|part| !is_version(part)).collect::<Vec<_>>().join(".")
}

fn nowhere(description: &Description, name: &str) -> String {
    let known = |names: &BTreeSet<&String>| {
        let names: Vec<_> = names.iter().map(|name| format!("\n    {}", Shown(name))).collect();
        if names.is_empty() { "\n    nothing".to_owned() } else { names.concat() }
    };
    let handled = description.queues.iter().flat_map(|queue| queue.events.iter().map(|way| &way.event)).collect();
    let published = description.publishes.iter().map(|event| &event.event).collect();
    let mut text = format!("{} neither handles nor publishes {}.\n", Shown(&description.service), Shown(name));
    let others = BTreeSet::union(&handled, &published).filter(|known| is(&unversioned(known), &unversioned(name)));
    for other in others {
        let other = Shown(other);
        text += &format!("  {other} is another version: an event of its own, unless an `Upcast` makes one the other\n");
    }
    text + &format!("  It handles{}\n  It says it publishes{}\n", known(&handled), known(&published))
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
