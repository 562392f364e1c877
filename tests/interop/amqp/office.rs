//! An environment of its own on a broker, and who works in it.

use serde_json::{Value, json};
use tegami::{Error, Event, Service, transport::amqp::Amqp};
use tegami_test_servers::{Rabbit, Release};

use crate::{
    desk::{Desk, Plan, speaking},
    generated::letters::v1::LetterPosted,
    peer::{Kind, Peer},
};

/// Where letters are published to.
pub const KEY: &str = LetterPosted::CONTRACT.routing_key;

/// A broker, and what the names of this test begin with there.
pub struct Office {
    pub rabbit: Rabbit,
    pub prefix: String,
}

impl Office {
    pub async fn open(release: Release) -> Self {
        let run = uuid::Uuid::new_v4().simple().to_string();
        Self { rabbit: Rabbit::take(release).await, prefix: format!("interop-{}-", &run[..12]) }
    }

    /// The broker, by a URL with these parameters.
    pub fn transport(&self, parameters: &str) -> Amqp {
        Amqp::new(format!("{}{parameters}", self.rabbit.url()))
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
        Peer::start(&json!({ "amqp": self.rabbit.port(), "prefix": self.prefix, "reads": reads })).await
    }
}

/// What a peer is to read: a routing key, into a queue of this name or of the name that tomodachi gives it.
pub fn reads(kind: Kind, routing_key: &str, queue: Option<&str>) -> Value {
    json!({ "envelope": kind.name(), "routing_key": routing_key, "queue": queue })
}

/// The same in JSON, by a handler that never ends.
pub fn holds(routing_key: &str, queue: &str) -> Value {
    json!({ "envelope": "json", "routing_key": routing_key, "queue": queue, "holds": true })
}

/// A letter for a peer to publish.
pub fn posted(kind: Kind, data: Value) -> Value {
    json!({ "envelope": kind.name(), "routing_key": KEY, "data": data })
}
