//! A service as an AsyncAPI 3 document: its topics as channels, its handlers and publishes as operations.

use serde_json::{Map, Value as Json, json};

use super::{Contracts, DescribedEvent, DescribedHandler, DescribedQueue, Description};
use crate::{
    codec::Told,
    contract::{AttributeKind, Contract},
    event::Encoding,
};

/// What the payloads' schemas are written in.
const SCHEMAS: &str = "application/schema+json;version=draft-2020-12";

/// The document of a service (<https://www.asyncapi.com/docs/reference/specification/v3.0.0>).
pub(super) fn document(description: &Description, contracts: &Contracts) -> Json {
    let mut document = Document::of(description, contracts);
    for event in &description.publishes {
        document.publishes(event);
    }
    for queue in &description.queues {
        queue.events.iter().for_each(|way| document.receives(queue, way));
    }
    document.finish()
}

/// The parts, as they are found.
struct Document<'a> {
    service: &'a str,
    version: &'a str,
    contracts: &'a Contracts,
    channels: Map<String, Json>,
    operations: Map<String, Json>,
    messages: Map<String, Json>,
}

impl<'a> Document<'a> {
    fn of(description: &'a Description, contracts: &'a Contracts) -> Self {
        let (service, version) = (&*description.service, description.version.as_deref().unwrap_or("unversioned"));
        Self { service, version, contracts, channels: Map::new(), operations: Map::new(), messages: Map::new() }
    }

    fn publishes(&mut self, event: &DescribedEvent) {
        self.mention(&event.topic, &event.event);
        let mut operation = operation("send", &event.topic, &event.event);
        operation["x-service"] = json!(self.service);
        self.operations.insert(format!("{}.publishes.{}", self.service, event.event), operation);
    }

    fn receives(&mut self, queue: &DescribedQueue, way: &DescribedHandler) {
        self.mention(&way.topic, &way.event);
        let mut operation = operation("receive", &way.topic, &way.event);
        let told = json!({
            "x-service": self.service,
            "x-queue": queue.name,
            "x-transport": queue.transport,
            "x-dead-letters": queue.dead_letters,
            "x-ordered": queue.ordered,
            "x-per-instance": queue.per_instance,
            "x-halts-on-dead-letters": queue.halts_on_dead_letters,
            "x-concurrency": queue.concurrency,
            "x-handler": way.handler,
            "x-timeout-seconds": way.timeout_seconds,
            "x-retry-after-seconds": way.retry_after_seconds,
            "x-filter": way.filter,
            "x-upcast-to": way.upcast_to,
        });
        extend(&mut operation, told);
        self.operations.insert(format!("{}.handles.{}.from.{}", self.service, way.event, queue.name), operation);
    }

    /// The topic is a channel, on which the event is a message.
    fn mention(&mut self, topic: &str, event: &str) {
        let channel = self.channels.entry(topic).or_insert_with(|| json!({ "address": topic, "messages": {} }));
        channel["messages"][event] = json!({ "$ref": format!("#/components/messages/{event}") });
        if let Some((contract, told)) = self.contracts.get(event) {
            self.messages.entry(event).or_insert_with(|| message(contract, *told));
        }
    }

    fn finish(self) -> Json {
        let mut document = json!({
            "asyncapi": "3.0.0",
            "info": { "title": self.service, "version": self.version },
            "defaultContentType": "application/json",
            "channels": self.channels,
            "operations": self.operations,
            "components": { "messages": self.messages },
        });
        document.sort_all_objects();
        document
    }
}

fn operation(action: &str, topic: &str, event: &str) -> Json {
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{topic}") },
        "messages": [{ "$ref": format!("#/channels/{topic}/messages/{event}") }],
    })
}

fn message(contract: &Contract, told: Told) -> Json {
    let schema = told.schema();
    let mut message = json!({ "name": contract.name, "payload": { "schemaFormat": SCHEMAS, "schema": schema } });
    let facts = json!({
        "summary": schema["description"].as_str(),
        "x-version": contract.version,
        "x-fingerprint": contract.fingerprint,
        "x-key": contract.key,
        "x-personal": told.personal.map(|personal| personal.paths),
        "x-subject": told.personal.and_then(|personal| personal.subject),
        "x-ordered": contract.ordered,
    });
    extend(&mut message, facts);
    let attributes =
        contract.attributes.iter().map(|attribute| (attribute.name.to_owned(), kind(attribute.kind).into()));
    message["x-attributes"] = attributes.collect::<Map<_, Json>>().into();
    if let Some(tried) = told.example() {
        message["examples"] = json!([{ "payload": serde_json::from_str::<Json>(&tried.json).unwrap_or_default() }]);
        let size = |(encoding, bytes): &(Encoding, usize)| (encoding.name().to_owned(), (*bytes).into());
        message["x-tried"] = tried.sizes.iter().map(size).collect::<Map<_, Json>>().into();
    }
    message
}

fn kind(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::Text => "text",
        AttributeKind::Number => "number",
        AttributeKind::Bool => "bool",
    }
}

/// Takes in these members, but for those that say nothing.
fn extend(object: &mut Json, members: Json) {
    let (Json::Object(object), Json::Object(members)) = (object, members) else { return };
    let said = |value: &Json| !matches!(value, Json::Null | Json::Bool(false));
    object.extend(members.into_iter().filter(|(_, value)| said(value)));
}
