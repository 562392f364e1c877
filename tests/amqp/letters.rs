//! Letters of an ordered queue, for tests that speak to the transport themselves.

use bytes::Bytes;
use tegami::{
    envelope::{MessageId, Sealed},
    event::{Attributes, Policy},
    transport::{Binding, Delivery, Outgoing, QueuePlan, Reach, TopicPlan, Topology},
};

const EVENT: &str = "letters.v1.LetterFiled";
const TOPIC: &str = "letters-v1";

/// One queue in order, and where its letters come from.
pub fn topology(name: &str) -> Topology {
    let topic = TopicPlan { name: TOPIC.to_owned(), ordered: true, source: "here" };
    Topology { topics: vec![topic], queues: vec![plan(name)] }
}

fn plan(name: &str) -> QueuePlan {
    let binding = Binding {
        topic: TOPIC.to_owned(),
        routing_key: name.to_owned(),
        event: EVENT,
        by_name: false,
        policy: Policy::default(),
    };
    QueuePlan {
        name: format!("{name}.fifo"),
        dead_letters: format!("{name}-dead.fifo"),
        ordered: true,
        retry_delays: Vec::new(),
        halts: false,
        concurrency: 4,
        reach: Reach::Shared,
        bindings: vec![binding],
    }
}

/// A letter of this key.
pub fn letter(plan: &QueuePlan, key: &str, text: &str) -> Outgoing {
    let sealed = Sealed { body: Bytes::copy_from_slice(text.as_bytes()), attributes: Attributes::new() };
    let id = MessageId::parse(format!("{}-{text}", plan.name)).expect("a short name");
    let mut letter = Outgoing::new(id, EVENT, TOPIC, sealed);
    letter.routing_key = plan.bindings[0].routing_key.clone().into();
    (letter.key, letter.ordered) = (Some(key.to_owned()), true);
    letter
}

pub fn body(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.sealed.body).into_owned()
}
