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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Policy,
        transport::{Binding, Reach, TopicPlan},
    };

    fn plan(queue: &str, topic: &str, ordered: bool) -> Topology {
        let binding = Binding {
            topic: topic.to_owned(),
            routing_key: String::new(),
            event: "paid",
            by_name: false,
            policy: Policy::default(),
        };
        let queue = QueuePlan {
            name: queue.to_owned(),
            dead_letters: if ordered { "dead.fifo" } else { "dead" }.to_owned(),
            ordered,
            retry_delays: Vec::new(),
            halts: false,
            bindings: vec![binding],
            concurrency: 1,
            reach: Reach::Shared,
        };
        Topology { topics: vec![TopicPlan { name: topic.to_owned(), ordered, source: "" }], queues: vec![queue] }
    }

    #[test]
    fn k1_names_are_taken_at_their_limits_and_refused_one_beyond() {
        let told = |queue: usize, topic: usize| {
            check(&plan(&"q".repeat(queue), &"t".repeat(topic), false)).map_err(|error| error.to_string())
        };
        assert_eq!(told(80, 256), Ok(()));
        assert!(told(81, 256).unwrap_err().contains("81 characters, 80 are allowed"));
        assert!(told(80, 257).unwrap_err().contains("257 characters, 256 are allowed"));
        assert_eq!(check(&plan("q.fifo", "t.fifo", true)).map_err(|error| error.kind()), Ok(()));
    }

    #[test]
    fn k1_what_does_not_go_together_is_told_by_both_names() {
        for (topology, words) in [
            (plan("orders.new", "shop", false), ["`orders.new`", "may have only"]),
            (plan("billing", "shop.fifo", false), ["`shop.fifo` cannot feed", "`billing`"]),
            (plan("billing.fifo", "shop", true), ["`shop` cannot feed", "`billing.fifo`"]),
            (plan("billing", "shop", true), ["queue `billing` must end", "topic `shop` must end"]),
        ] {
            let error = check(&topology).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Unsupported);
            assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
        }
    }
}
