//! An environment of its own on an emulator, and who works in it.

use serde_json::{Value, json};
use tegami::{Error, Event, Service, transport::aws::Aws};
use tegami_test_servers::Emulator;

use super::Emulated;
use crate::{
    desk::{Desk, Letters, Plan, speaking},
    generated::letters::v1::{LetterFiled, LetterPosted},
    peer::{Kind, Peer},
};

/// Where letters are published to.
pub const TOPIC: &str = LetterPosted::CONTRACT.topic;
/// Where letters in order are published to, without its ending: tomodachi adds that.
pub const FILED: &str = LetterFiled::CONTRACT.topic;
/// Short receives: an emulator goes on receiving for a caller who is gone.
const TIMES: &str = "wait=1";

/// What the URL of a desk ends in that reads beside tomodachi.
pub const COMPAT: &str = "&compat=tomodachi";

/// How a message comes into a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through the topic that feeds it, as it is.
    Topic,
    /// Through the topic that feeds it, in a notification of SNS.
    Notification,
    /// It is sent there.
    Queue,
}

impl Way {
    /// What the URL of a desk ends in that is to have its messages so.
    pub fn parameters(self) -> &'static str {
        if self == Self::Notification { COMPAT } else { "" }
    }
}

/// An emulator, and what the names of this test begin with there.
pub struct Office {
    pub emulator: Emulator,
    pub prefix: String,
}

impl Office {
    pub async fn open(kind: Emulated) -> Self {
        let run = uuid::Uuid::new_v4().simple().to_string();
        // The longest behind which tomodachi finds room for a hash and `.fifo`.
        Self { emulator: Emulator::take(kind).await, prefix: format!("io-{}-", &run[..7]) }
    }

    /// SNS and SQS, by a URL with these parameters.
    pub fn transport(&self, parameters: &str) -> Aws {
        Aws::new(format!("aws:eu-west-1?endpoint={}&{TIMES}{parameters}", self.emulator.endpoint()))
    }

    /// A service that only publishes.
    pub fn service(&self, kind: Kind, parameters: &str) -> Service {
        let service = Service::new("office").prefix(&self.prefix).transport(self.transport(parameters));
        speaking(service, kind)
    }

    /// A service that reads letters.
    pub async fn desk(&self, plan: Plan) -> Result<Desk, Error> {
        Desk::open(self.service(plan.kind, plan.parameters), plan).await
    }

    /// A tomodachi service that reads this.
    pub async fn peer(&self, reads: impl IntoIterator<Item = Value>) -> Peer {
        let reads: Vec<_> = reads.into_iter().collect();
        Peer::start(&json!({ "aws": self.emulator.endpoint(), "prefix": self.prefix, "reads": reads })).await
    }

    /// The name of a queue or topic with what stands before it here.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// What a peer is to read: posted letters, from a queue of this name or of the name that tomodachi gives it.
pub fn reads(kind: Kind, queue: Option<&str>) -> Value {
    json!({ "envelope": kind.name(), "topic": TOPIC, "queue": queue })
}

/// The same for filed letters.
pub fn reads_filed(kind: Kind, queue: Option<&str>) -> Value {
    json!({ "envelope": kind.name(), "topic": FILED, "queue": queue, "fifo": true })
}

/// A letter for a peer to publish, or to send to a desk.
pub fn posted(kind: Kind, way: Way, letter: &LetterPosted) -> Value {
    let mut message = json!({ "envelope": kind.name(), "data": letter });
    match way {
        Way::Topic | Way::Notification => message["topic"] = TOPIC.into(),
        Way::Queue => message["queue"] = "desk".into(),
    }
    message
}

/// The same with a group and what tells a repeat.
pub fn filed(kind: Kind, way: Way, letter: &LetterFiled, repeat: &str) -> Value {
    let mut message =
        json!({ "envelope": kind.name(), "data": letter, "group_id": letter.r#box, "deduplication_id": repeat });
    match way {
        Way::Topic | Way::Notification => message["topic"] = FILED.into(),
        Way::Queue => message["queue"] = "desk.fifo".into(),
    }
    message
}

/// A desk for filed letters.
pub fn filing(kind: Kind) -> Plan {
    Plan { letters: Letters::Filed, queue: "desk.fifo".to_owned(), ..Plan::new(kind) }
}
