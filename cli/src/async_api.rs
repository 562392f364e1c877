//! `tegami asyncapi`: services as one AsyncAPI document.

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::Value as Json;

use crate::{
    output::{failed, printed},
    program::Program,
    shown::Shown,
};

const PRINTED: u8 = 0;

/// Print a service as an AsyncAPI 3 document: topics as channels, handlers and publishes as operations, the schemas of
/// its events, an example of each. Connects to nothing.
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
    let mut document = match arguments.program.ask::<Json>("async-api") {
        Ok(document) => document,
        Err(none) => return failed(none),
    };
    for path in &arguments.with {
        let shown = path.to_string_lossy();
        let text = fs::read_to_string(path).map_err(|error| error.to_string());
        let other = text.and_then(|text| serde_json::from_str::<Json>(&text).map_err(|error| error.to_string()));
        if let Err(why) = other.and_then(|other| merge(&mut document, other)) {
            return failed(format_args!("`{}` cannot be taken in: {}", Shown(&shown), Shown(&why)));
        }
    }
    let told = [("title", &arguments.title), ("version", &arguments.version)];
    for (name, value) in told.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        document["info"][name] = Json::from(value.as_str());
    }
    document.sort_all_objects();
    printed(PRINTED, &format!("{document:#}\n"))
}

/// Takes in what the other has. What both have must be the same, but channels have the messages of both.
fn merge(into: &mut Json, other: Json) -> Result<(), String> {
    if other["asyncapi"] != into["asyncapi"] {
        return Err(format!("it is no AsyncAPI document of version {}", into["asyncapi"]));
    }
    for part in ["/channels", "/operations", "/components/messages"] {
        let theirs = other.pointer(part).and_then(Json::as_object).cloned().unwrap_or_default();
        let Some(ours) = into.pointer_mut(part).and_then(Json::as_object_mut) else { continue };
        for (name, mut entry) in theirs {
            if let Some(known) = ours.get(&name) {
                join(&mut entry, known);
                if part != "/channels" && entry != *known {
                    return Err(format!("two services mean different things by `{name}`"));
                }
            }
            ours.insert(name, entry);
        }
    }
    Ok(())
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

    fn document(service: &str, event: &str, schema: Json) -> Json {
        json!({
            "asyncapi": "3.0.0", "info": {},
            "channels": { "orders": { "address": "orders", "messages": { event: {} } } },
            "operations": { format!("{service}.handles.{event}"): {} },
            "components": { "messages": { event: { "payload": schema } } },
        })
    }

    #[test]
    fn a_fleet_has_the_messages_and_operations_of_all() {
        let mut fleet = document("billing", "Placed", json!({}));
        merge(&mut fleet, document("shipping", "Paid", json!({}))).expect("they agree");
        merge(&mut fleet, document("audit", "Paid", json!({}))).expect("they agree");
        let count = |part: &str| fleet.pointer(part).and_then(Json::as_object).map(|part| part.len());
        assert_eq!(count("/channels"), Some(1));
        assert_eq!(count("/channels/orders/messages"), Some(2));
        assert_eq!(count("/operations"), Some(3));
        assert_eq!(count("/components/messages"), Some(2));
    }

    #[test]
    fn two_contracts_of_one_name_are_refused_by_it() {
        let mut fleet = document("billing", "Paid", json!({}));
        let error = merge(&mut fleet, document("audit", "Paid", json!({ "type": "string" }))).expect_err("they differ");
        assert!(error.contains("`Paid`"), "{error}");
        assert!(merge(&mut fleet, json!({ "openapi": "3.0.0" })).is_err());
    }
}
