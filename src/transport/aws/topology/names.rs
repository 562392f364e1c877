//! Which names SNS and SQS take, and which of them go together.

use crate::transport::{QueuePlan, Topology, TransportError, TransportErrorKind};

/// The longest names: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html and
/// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
const QUEUE: usize = 80;
const TOPIC: usize = 256;
const FIFO: &str = ".fifo";

/// Refuses a plan whose names do not fit, or not each other; all of them are told.
pub(super) fn check(topology: &Topology) -> Result<(), TransportError> {
    let topics = topology.topics.iter().flat_map(|topic| name("topic", &topic.name, topic.ordered, TOPIC));
    let told: Vec<String> = topics.chain(topology.queues.iter().flat_map(queue)).collect();
    match told.is_empty() {
        true => Ok(()),
        false => Err(TransportError::new(TransportErrorKind::Unsupported, told.join("; "))),
    }
}

fn queue(plan: &QueuePlan) -> Vec<String> {
    let mut told = name("queue", &plan.name, plan.ordered, QUEUE);
    told.extend(name("queue", &plan.dead_letters, plan.ordered, QUEUE));
    let unlike = plan.bindings.iter().filter(|binding| binding.topic.ends_with(FIFO) != plan.name.ends_with(FIFO));
    told.extend(unlike.map(|binding| {
        let (topic, queue) = (&binding.topic, &plan.name);
        format!("topic `{topic}` cannot feed queue `{queue}`: both must end in `{FIFO}`, or neither")
    }));
    told
}

fn name(what: &str, name: &str, ordered: bool, limit: usize) -> Vec<String> {
    let mut told = Vec::new();
    let (shown, length) = (name.escape_debug(), name.chars().count());
    if !(1..=limit).contains(&length) {
        told.push(format!("{what} `{shown}` has {length} characters, {limit} are allowed"));
    }
    let stem = name.strip_suffix(FIFO).unwrap_or(name);
    if !stem.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_') {
        told.push(format!("{what} `{shown}` may have only A-Z a-z 0-9 - _"));
    }
    if name.ends_with(FIFO) != ordered {
        told.push(format!("{what} `{shown}` must end in `{FIFO}` exactly if order is kept"));
    }
    told
}
