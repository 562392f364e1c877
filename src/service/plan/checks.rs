//! What a plan is refused for.

use std::time::Duration;

use super::{
    super::{Error, ErrorKind},
    is_plain,
    station::{Station, Wish},
};
use crate::{
    codec::Upcasts,
    contract::{Contract, retry_queue},
    pipeline::{OnDead, Route},
    time::Dice,
    transport::{Binding, Capabilities, Reach, Transport},
};

/// The most deliveries of one queue that may be handled at once: as many as AMQP can prefetch.
const MOST_CONCURRENCY: usize = 65_535;
/// The longest topic (SNS).
const TOPIC_LIMIT: usize = 256;
/// The longest routing key, in bytes (AMQP's short string).
const ROUTING_KEY_LIMIT: usize = 255;
/// The longest queue name that a subscription can choose.
const QUEUE_LIMIT: usize = 80;

/// Refuses a queue that is where another one puts its dead letters or its retries.
pub(super) fn check_apart(stations: &[Station]) -> Result<(), Error> {
    for station in stations {
        let queue = &station.queue;
        let retries = (1..=queue.retry_delays.len()).map(|step| retry_queue(&queue.name, step));
        let beside: Vec<String> = retries.chain([queue.dead_letters.clone()]).collect();
        if let Some(clash) = stations.iter().find(|other| beside.contains(&other.queue.name)) {
            let (clash, queue) = (&clash.queue.name, &queue.name);
            return Err(refuse(format!("queue `{clash}` is where `{queue}` puts messages aside: rename its group")));
        }
    }
    Ok(())
}

/// Refuses what the transport cannot promise.
pub(crate) fn check_capabilities(station: &Station, name: &str, capabilities: &Capabilities) -> Result<(), Error> {
    if station.queue.ordered && !capabilities.ordered {
        let queue = &station.queue.name;
        let text = format!("queue `{queue}` must keep order per key, which the transport `{name}` cannot promise");
        return Err(refuse(text));
    }
    if station.queue.reach == Reach::PerInstance && !capabilities.per_instance {
        let queue = &station.queue.name;
        let text = format!("queue `{queue}` must be one for each instance, which the transport `{name}` cannot have");
        return Err(refuse(text));
    }
    check_times(station, name, capabilities)
}

/// Refuses what takes longer than the transport leaves a delivery to us.
fn check_times(station: &Station, name: &str, capabilities: &Capabilities) -> Result<(), Error> {
    let queue = &station.queue.name;
    let limit = capabilities.handling_limit.unwrap_or(Duration::MAX);
    if let Some(route) = station.routes.iter().find(|route| route.timeout > limit) {
        let timeout = route.timeout;
        let text = format!("the handler on queue `{queue}` has {timeout:?}, the transport `{name}` gives it {limit:?}");
        return Err(refuse(text));
    }
    let limit = capabilities.waiting_limit.unwrap_or(Duration::MAX);
    let in_place = station.queue.ordered || station.queue.reach == Reach::PerInstance;
    let longest = station.routes.iter().map(|route| waits(route, station.queue.halts)).max().unwrap_or_default();
    if in_place && longest > limit {
        let text = format!(
            "retries on queue `{queue}` wait in their place, for {longest:?} with what chance adds; the transport \
             `{name}` leaves them there for {limit:?}: have fewer or shorter delays"
        );
        return Err(refuse(text));
    }
    Ok(())
}

/// How long a delivery waits for all its retries, with what chance adds to them (R2). One that halts its key waits on and on,
/// so there it is each for itself.
fn waits(route: &Route, halts: bool) -> Duration {
    let delays = route.retry.delays().iter().copied();
    let delay = match halts {
        true => delays.max().unwrap_or_default(),
        false => delays.fold(Duration::ZERO, Duration::saturating_add),
    };
    Dice::longest(delay)
}

/// Refuses an envelope where the transport has its own.
pub(crate) fn check_envelope(station: &Station, transport: &dyn Transport) -> Result<(), Error> {
    if transport.envelope().is_none() || station.routes.iter().all(|route| route.envelope.is_none()) {
        return Ok(());
    }
    let (queue, name) = (&station.queue.name, transport.name());
    Err(refuse(format!(
        "queue `{queue}` cannot choose an envelope: the transport `{name}` has its own, so leave it out"
    )))
}

/// Refuses a station on a transport that nobody attached.
pub(crate) fn no_such_transport(station: &Station) -> Error {
    let (queue, name) = (&station.queue.name, station.via.as_deref().unwrap_or_default());
    refuse(format!("queue `{queue}` is to be on the transport `{name}`, which is not attached to the service"))
}

/// Refuses events of an older contract that cannot come as the new ones do.
pub(super) fn check_older(wish: &Wish, queue: &str, upcasts: &Upcasts) -> Result<(), Error> {
    let contract = wish.route.contract;
    let other = |older: &&Contract| older.ordered != contract.ordered;
    let Some(older) = upcasts.older(contract).into_iter().find(other) else { return Ok(()) };
    let (name, older) = (contract.name, older.name);
    let text = format!("queue `{queue}` is asked to keep order by one of `{older}` and `{name}`, which it becomes");
    Err(refuse(text))
}

/// Refuses a topic or a routing key that the prefix makes longer than brokers take.
pub(super) fn check_lengths(binding: &Binding) -> Result<(), Error> {
    let lengths = [("topic", &binding.topic, TOPIC_LIMIT), ("routing key", &binding.routing_key, ROUTING_KEY_LIMIT)];
    match lengths.into_iter().find(|(_, name, limit)| name.len() > *limit) {
        Some((what, name, limit)) => {
            let length = name.len();
            let text = format!("{what} `{name}` has {length} characters with its prefix, {limit} are allowed");
            Err(refuse(text))
        }
        None => Ok(()),
    }
}

pub(super) fn check(wish: &Wish, queue: &str) -> Result<(), Error> {
    if wish.concurrency == Some(0) {
        return Err(refuse(format!("queue `{queue}` is asked to have concurrency 0: nothing would ever be handled")));
    }
    if let Some(concurrency) = wish.concurrency.filter(|asked| *asked > MOST_CONCURRENCY) {
        let text = format!("queue `{queue}` is asked to have concurrency {concurrency}, more than {MOST_CONCURRENCY}");
        return Err(refuse(text));
    }
    if wish.route.timeout.is_zero() {
        return Err(refuse(format!("the handler on queue `{queue}` has a timeout of 0: it could never end in time")));
    }
    if wish.on_dead == OnDead::Halt {
        check_halt(&wish.route, queue)?;
    }
    match (&wish.queue, &wish.group) {
        (Some(queue), Some(group)) => {
            let (queue, group) = (queue.escape_debug(), group.escape_debug());
            Err(refuse(format!("a subscription is asked to read the queue `{queue}` and to share that of `{group}`")))
        }
        (Some(queue), None) => check_exact(queue, wish.route.contract.ordered),
        (None, Some(group)) if group.is_empty() || !is_plain(group) => {
            Err(refuse(format!("group `{}` may have only A-Z a-z 0-9 - _", group.escape_debug())))
        }
        _ => Ok(()),
    }
}

/// A queue's own name must be one that every broker takes; that of a queue in order says so.
fn check_exact(queue: &str, ordered: bool) -> Result<(), Error> {
    let text = queue.escape_debug();
    if !(1..=QUEUE_LIMIT).contains(&queue.len()) || !is_plain(&queue.replace('.', "-")) {
        return Err(refuse(format!("queue `{text}` may have only 1 to {QUEUE_LIMIT} of A-Z a-z 0-9 - _ .")));
    }
    if ordered != queue.ends_with(".fifo") {
        return Err(refuse(format!("queue `{text}` must end in `.fifo` exactly if its events are kept in order")));
    }
    Ok(())
}

fn check_halt(route: &Route, queue: &str) -> Result<(), Error> {
    if !route.contract.ordered {
        return Err(refuse(format!("queue `{queue}` is to halt on a dead letter, but has no keys in order to halt")));
    }
    if route.retry.delays().iter().all(Duration::is_zero) {
        let text =
            format!("queue `{queue}` is to halt on a dead letter, but its retry has no delay to try again after");
        return Err(refuse(text));
    }
    Ok(())
}

pub(super) fn refuse(text: String) -> Error {
    Error::new(ErrorKind::Subscription, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k1_names_are_taken_at_their_limits_and_refused_one_beyond() {
        let check = |topic: usize, key: usize| {
            let (topic, routing_key) = ("t".repeat(topic), "k".repeat(key));
            check_lengths(&Binding { topic, routing_key, event: "E", by_name: false, policy: Default::default() })
        };
        assert!(check(256, 255).is_ok());
        for (topic, key, words) in [(257, 1, "257 characters"), (1, 256, "256 characters")] {
            let error = check(topic, key).expect_err("it is beyond");
            assert_eq!(error.kind(), ErrorKind::Subscription);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
