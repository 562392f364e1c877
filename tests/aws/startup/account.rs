//! An account of SNS and SQS, with names that nobody took before, behind a proxy that counts calls.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tegami::transport::{
    Binding, Provision, QueuePlan, Reach, TopicPlan, Topology, Transport as _, TransportError, aws::Aws,
};
use tegami_test_servers::{AwsFault, Caller, Emulator, Kind};

pub const KINDS: [Kind; 2] = [Kind::LocalStack, Kind::MiniStack];

/// What changes something; `SetQueueAttributes` and its like by how they begin.
const CHANGING: [&str; 6] = ["Create*", "Set*", "Subscribe", "Tag*", "Un*", "Delete*"];

/// An emulator with names of our own.
pub struct Account {
    pub emulator: Emulator,
    pub fault: AwsFault,
    pub caller: Caller,
    prefix: String,
}

impl Account {
    pub async fn open(kind: Kind) -> Self {
        let emulator = Emulator::take(kind).await;
        let fault = AwsFault::before(emulator.address(), 7).await.expect("there is a free port");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_micros();
        Self { caller: emulator.caller(), emulator, fault, prefix: format!("t{now}") }
    }

    /// One more way to it, which counts calls from none.
    pub async fn watched(&self) -> AwsFault {
        AwsFault::before(self.emulator.address(), 7).await.expect("there is a free port")
    }

    /// A name that nobody took before.
    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// A queue fed by these topics.
    pub fn plan(&self, queue: &str, topics: &[&str]) -> QueuePlan {
        plan(queue, topics, |name| self.name(name))
    }

    /// Where it is, with these settings.
    pub fn url(&self, settings: &str) -> String {
        format!("aws:eu-west-1?endpoint={}{settings}", self.fault.endpoint())
    }

    /// Starts with these queues.
    pub async fn provision(&self, queues: &[QueuePlan], mode: Provision) -> Result<(), TransportError> {
        provision(&self.url(""), queues, mode).await
    }

    /// How often something was changed so far.
    pub fn changes(&self) -> u64 {
        CHANGING.iter().map(|operation| self.fault.calls(operation)).sum()
    }

    /// The attributes of a queue.
    pub fn attributes(&self, queue: &str) -> Value {
        let url = self.caller.url(queue).expect("it is there");
        let input = json!({"QueueUrl": url, "AttributeNames": ["All"]});
        self.caller.sqs("GetQueueAttributes", &input).expect("it is there")["Attributes"].clone()
    }

    /// Changes attributes of a queue, as its owner would.
    pub fn set(&self, queue: &str, attributes: &Value) {
        let url = self.caller.url(queue).expect("it is there");
        let input = json!({"QueueUrl": url, "Attributes": attributes});
        self.caller.sqs("SetQueueAttributes", &input).expect("it is taken");
    }

    /// The ARN of a queue.
    pub fn arn(&self, queue: &str) -> String {
        self.attributes(queue)["QueueArn"].as_str().expect("each has one").to_owned()
    }

    /// The ARN of the topic with this name beside a queue.
    pub fn topic_arn(&self, topic: &str, beside: &str) -> String {
        self.arn(beside).replace(":sqs:", ":sns:").replace(beside, topic)
    }
}

/// A queue fed by these topics, with names made of theirs.
pub fn plan(queue: &str, topics: &[&str], name: impl Fn(&str) -> String) -> QueuePlan {
    let (stem, fifo) = queue.strip_suffix(".fifo").map_or((queue, ""), |stem| (stem, ".fifo"));
    let bindings = topics.iter().map(|topic| Binding {
        topic: name(topic),
        routing_key: "paid".to_owned(),
        event: "paid",
        by_name: false,
        policy: Default::default(),
    });
    QueuePlan {
        name: name(queue),
        dead_letters: name(&format!("{stem}-dead{fifo}")),
        ordered: !fifo.is_empty(),
        retry_delays: Vec::new(),
        halts: false,
        bindings: bindings.collect(),
        concurrency: 1,
        reach: Reach::Shared,
    }
}

/// Starts with these queues at this URL.
pub async fn provision(url: &str, queues: &[QueuePlan], mode: Provision) -> Result<(), TransportError> {
    let transport = Aws::new(url);
    let provisioned = transport.provision(&topology(queues), mode).await;
    transport.close().await;
    provisioned
}

pub fn topology(queues: &[QueuePlan]) -> Topology {
    let mut topics = Vec::<TopicPlan>::new();
    for queue in queues {
        for binding in &queue.bindings {
            if topics.iter().all(|topic| topic.name != binding.topic) {
                topics.push(TopicPlan { name: binding.topic.clone(), ordered: queue.ordered, source: "" });
            }
        }
    }
    Topology { topics, queues: queues.to_vec() }
}

/// What stands in an attribute as JSON.
pub fn parsed(attribute: &Value) -> Value {
    serde_json::from_str(attribute.as_str().expect("it is set")).expect("it is JSON")
}
