//! `tegami asyncapi`: services as one AsyncAPI document.

use std::{collections::BTreeSet, fs, path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::Value as Json;

use crate::{
    output::{failed, printed},
    program::Program,
    shown::{self, Shown},
};

const PRINTED: u8 = 0;
const CHANNELS: &str = "/channels";
const OPERATIONS: &str = "/operations";
const MESSAGES: &str = "/components/messages";

/// Print a service, or a fleet, as an AsyncAPI 3 document.
///
/// It has topics as channels, handlers and publishes as operations, the schemas of its events, an example of each.
/// Connects to nothing.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The document of another service to take in, for a fleet; can be given again.
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// What the document calls itself.
    #[arg(long)]
    title: Option<String>,
    /// The version of the document. Default: the release that the program tells by `Service::version`.
    #[arg(long)]
    version: Option<String>,
    #[command(flatten)]
    program: Program,
}

const EXAMPLES: &str = "\
Examples:
  tegami asyncapi -- ./billing > billing.json
  tegami asyncapi --with billing.json --title shop --version 7 -- ./shipping > shop.json

Exit codes:
  0  printed
  2  the program gave no answer, a file cannot be read, or two services mean different things by one name";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match document(arguments) {
        Ok(document) => printed(PRINTED, &shown::json(&format!("{document:#}\n"))),
        Err(why) => failed(why),
    }
}

fn document(arguments: &Arguments) -> Result<Json, String> {
    let mut fleet = Fleet::of(arguments.program.ask("async-api").map_err(|none| none.to_string())?);
    for path in &arguments.with {
        let shown = path.to_string_lossy();
        let text = fs::read_to_string(path).map_err(|error| error.to_string());
        let other = text.and_then(|text| serde_json::from_str::<Json>(&text).map_err(|error| error.to_string()));
        let wrong = |why: String| format!("`{}` cannot be taken in: {}", Shown(&shown), Shown(&why));
        other.and_then(|other| fleet.take(&other)).map_err(wrong)?;
    }
    let told = [("title", &arguments.title), ("version", &arguments.version)];
    for (name, value) in told.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        fleet.document["info"][name] = Json::from(value.as_str());
    }
    fleet.whole()
}

/// A fleet in one document.
#[derive(Default)]
struct Fleet {
    document: Json,
    /// Messages of which services have different contracts.
    differ: BTreeSet<String>,
}

impl Fleet {
    fn of(document: Json) -> Self {
        Self { document, ..Self::default() }
    }

    /// Takes in what the other has. What both have must be the same, but channels have the messages of both; and of a
    /// message, the contract of the one who publishes it counts: who handles it may have one of its own.
    fn take(&mut self, other: &Json) -> Result<(), String> {
        let into = &mut self.document;
        if other["asyncapi"] != into["asyncapi"] {
            return Err(format!("it is no AsyncAPI document of version {}", into["asyncapi"]));
        }
        let published = [published(into), published(other)];
        for part in [CHANNELS, OPERATIONS, MESSAGES] {
            let theirs = other.pointer(part).and_then(Json::as_object).cloned().unwrap_or_default();
            let Some(ours) = into.pointer_mut(part).and_then(Json::as_object_mut) else { continue };
            for (name, mut entry) in theirs {
                if let Some(known) = ours.get(&name) {
                    join(&mut entry, known);
                    let differs = part != CHANNELS && entry != *known;
                    let [is_ours, is_theirs] = published.each_ref().map(|published| published.contains(&name));
                    if differs && (part != MESSAGES || is_ours && is_theirs) {
                        return Err(format!("two services mean different things by `{name}`"));
                    }
                    if differs {
                        self.differ.insert(name.clone());
                    }
                    if differs && !is_theirs {
                        continue;
                    }
                }
                ours.insert(name, entry);
            }
        }
        Ok(())
    }

    /// All of it.
    fn whole(mut self) -> Result<Json, String> {
        let published = published(&self.document);
        if let Some(name) = self.differ.iter().find(|name| !published.contains(*name)) {
            let hint = "take in who publishes it, too: that one's contract counts";
            return Err(format!("services have different contracts of `{name}`; {hint}"));
        }
        self.document.sort_all_objects();
        Ok(self.document)
    }
}

/// The messages that services of this document publish.
fn published(document: &Json) -> BTreeSet<String> {
    let operations = document.pointer(OPERATIONS).and_then(Json::as_object).into_iter().flat_map(|all| all.values());
    let sends = operations.filter(|operation| operation["action"] == "send");
    let messages = sends.filter_map(|operation| operation["messages"].as_array()).flatten();
    let names = messages.filter_map(|message| message["$ref"].as_str()?.rsplit('/').next());
    names.map(str::to_owned).collect()
}

/// A channel gets the messages that it is known to have.
fn join(channel: &mut Json, known: &Json) {
    let Some(messages) = known["messages"].as_object() else { return };
    if let Some(here) = channel["messages"].as_object_mut() {
        here.extend(messages.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(service: &str, (does, event): (&str, &str), schema: Json) -> Json {
        let action = if does == "publishes" { "send" } else { "receive" };
        let message = json!({ "$ref": format!("#/channels/orders/messages/{event}") });
        json!({
            "asyncapi": "3.0.0", "info": {},
            "channels": { "orders": { "address": "orders", "messages": { event: {} } } },
            "operations": { format!("{service}.{does}.{event}"): { "action": action, "messages": [message] } },
            "components": { "messages": { event: { "payload": schema } } },
        })
    }

    fn fleet(documents: &[Json]) -> Result<Json, String> {
        let mut fleet = Fleet::of(documents[0].clone());
        documents[1..].iter().try_for_each(|document| fleet.take(document))?;
        fleet.whole()
    }

    #[test]
    fn a_fleet_has_the_messages_and_operations_of_all() {
        let services = [("billing", "Placed"), ("shipping", "Paid"), ("audit", "Paid")];
        let documents = services.map(|(service, event)| document(service, ("handles", event), json!({})));
        let fleet = fleet(&documents).expect("they agree");
        let count = |part: &str| fleet.pointer(part).and_then(Json::as_object).map(|part| part.len());
        assert_eq!(count("/channels"), Some(1));
        assert_eq!(count("/channels/orders/messages"), Some(2));
        assert_eq!(count("/operations"), Some(3));
        assert_eq!(count("/components/messages"), Some(2));
    }

    #[test]
    fn of_different_contracts_that_of_the_publisher_counts() {
        let publisher = document("billing", ("publishes", "Paid"), json!({ "type": "object" }));
        let readers = ["audit", "mail"].map(|name| document(name, ("handles", "Paid"), json!({ "title": name })));
        let [audit, mail] = readers;
        for documents in [
            [publisher.clone(), audit.clone(), mail.clone()],
            [audit.clone(), publisher.clone(), mail.clone()],
            [audit.clone(), mail.clone(), publisher.clone()],
        ] {
            let fleet = fleet(&documents).expect("one publishes it");
            assert_eq!(fleet.pointer("/components/messages/Paid/payload/type"), Some(&json!("object")));
        }
        let error = fleet(&[audit, mail]).expect_err("nobody publishes it");
        assert!(error.contains("`Paid`; take in who publishes it"), "{error}");
        let other = document("till", ("publishes", "Paid"), json!({ "type": "string" }));
        let error = fleet(&[publisher.clone(), other]).expect_err("both publish it");
        assert!(error.contains("two services mean different things by `Paid`"), "{error}");
        assert!(fleet(&[publisher, json!({ "openapi": "3.0.0" })]).is_err());
    }
}
