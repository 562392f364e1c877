//! Queue and topic names, derived from the service's name and the contract.
//!
//! Every transport uses these names, so that one service means one set of queues.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::Contract;

/// The longest queue name every broker takes (SQS: 80 characters).
const QUEUE_LIMIT: usize = 80;
/// Hash digits that replace what is cut from a long name.
const HASH_DIGITS: usize = 8;

/// Derives the names of one service in one environment.
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
    service: String,
}

impl Names {
    /// Names for this service, each beginning with the environment's prefix.
    pub fn new(prefix: impl Into<String>, service: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), service: service.into() }
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The topic as the broker knows it.
    pub fn topic(&self, contract: &Contract) -> Cow<'static, str> {
        match (&*self.prefix, fifo(contract.ordered)) {
            ("", "") => contract.topic.into(),
            (prefix, suffix) => format!("{prefix}{}{suffix}", contract.topic).into(),
        }
    }

    /// A topic as its contract knows it.
    pub(crate) fn bare_topic<'a>(&self, topic: &'a str) -> &'a str {
        let bare = topic.strip_prefix(&*self.prefix).unwrap_or(topic);
        bare.strip_suffix(fifo(true)).unwrap_or(bare)
    }

    /// The routing key as the broker knows it.
    pub fn routing_key(&self, contract: &Contract) -> Cow<'static, str> {
        match &*self.prefix {
            "" => contract.routing_key.into(),
            prefix => format!("{prefix}{}", contract.routing_key).into(),
        }
    }

    /// The queue of a subscription to one event.
    pub fn queue(&self, contract: &Contract) -> String {
        let event = contract.name.rsplit('.').next().unwrap_or(contract.name);
        let name = format!("{}{}-{}-{event}", self.prefix, self.service, contract.topic);
        shorten(name, fifo(contract.ordered))
    }

    /// The queue of this name, whatever reads it.
    pub fn exact(&self, queue: &str) -> String {
        format!("{}{queue}", self.prefix)
    }

    /// The queue that several subscriptions of the service share.
    pub fn group(&self, group: &str, ordered: bool) -> String {
        shorten(format!("{}{}-{group}", self.prefix, self.service), fifo(ordered))
    }
}

/// Where the dead letters of a queue go.
pub fn dead_letter_queue(queue: &str) -> String {
    let (stem, ending) = parts(queue);
    affix(&shorten(stem.to_owned(), ending), "-dead")
}

/// Where a delivery of this queue waits for its next attempt, by step from 1 (AMQP).
pub fn retry_queue(queue: &str, step: usize) -> String {
    affix(queue, &format!("-retry-{step}"))
}

fn fifo(ordered: bool) -> &'static str {
    if ordered { ".fifo" } else { "" }
}

/// Adds to a name before its `.fifo`, if it has one.
fn affix(queue: &str, suffix: &str) -> String {
    let (stem, ending) = parts(queue);
    format!("{stem}{suffix}{ending}")
}

/// A name without its `.fifo`, and that, if it has one.
fn parts(queue: &str) -> (&str, &'static str) {
    queue.strip_suffix(".fifo").map_or((queue, ""), |stem| (stem, ".fifo"))
}

/// Cuts a name that leaves no room for `-dead`, and puts a hash of the whole in place of what was cut.
fn shorten(name: String, ending: &str) -> String {
    let room = QUEUE_LIMIT - "-dead".len() - ending.len();
    if name.len() <= room {
        return name + ending;
    }
    let digest = Sha256::digest(name.as_bytes());
    let hash: String = digest.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = name.chars().take(room - HASH_DIGITS - 1).collect();
    format!("{kept}-{hash}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_of_a_long_queue_have_a_name_that_every_broker_takes() {
        for (length, ending) in [(76, ""), (80, ""), (71, ".fifo"), (75, ".fifo")] {
            let of = |last: &str| dead_letter_queue(&format!("{}{last}{ending}", "q".repeat(length - 1)));
            let name = of("a");
            assert!(name.len() <= QUEUE_LIMIT && name.ends_with(&format!("-dead{ending}")), "{name}");
            assert_ne!(name, of("b"));
        }
        assert_eq!(dead_letter_queue(&"q".repeat(75)), format!("{}-dead", "q".repeat(75)));
    }
}
