//! What documents tell: which events there are, who publishes them, and their ways to their handlers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value as Json;

use crate::codec::resolve;

/// All that is known of some services, sorted.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) services: BTreeSet<String>,
    /// Events by name, each with the contracts that services have of it.
    pub(super) events: BTreeMap<String, Vec<Version>>,
    pub(super) sends: BTreeSet<Sent>,
    pub(super) ways: BTreeSet<Way>,
}

/// A contract as a document has it, and who has it so.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) message: Json,
    pub(super) services: BTreeSet<String>,
}

/// An event that a service publishes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sent {
    pub(super) service: String,
    pub(super) event: String,
    pub(super) topic: String,
}

/// An event's way from its topic to its handler.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) event: String,
    pub(super) service: String,
    pub(super) topic: String,
    pub(super) queue: Queue,
    pub(super) dead_letters: String,
    pub(super) handler: String,
    pub(super) filter: String,
    pub(super) upcast_to: String,
    /// How many at once, and how long each may take.
    pub(super) pace: String,
    pub(super) retries: String,
    /// How the queue keeps its messages, where that is not as most do.
    pub(super) kept: String,
}

/// A queue, on the main transport or on one that has a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) transport: String,
}

impl Facts {
    /// Takes in a document.
    pub(super) fn take(&mut self, document: &Json) {
        let title = text(&document["info"]["title"]);
        let operations = document["operations"].as_object();
        if operations.is_none_or(|operations| operations.is_empty()) {
            self.services.insert(title.clone());
        }
        for operation in operations.into_iter().flatten().map(|(_, operation)| operation) {
            let service = Some(text(&operation["x-service"])).filter(|name| !name.is_empty());
            let service = service.unwrap_or_else(|| title.clone());
            self.services.insert(service.clone());
            let topic = named(document, &operation["channel"], "address").1;
            for message in operation["messages"].as_array().into_iter().flatten() {
                let (message, event) = named(document, message, "name");
                self.know(&event, message, &service);
                self.flows(operation, Sent { service: service.clone(), event, topic: topic.clone() });
            }
        }
    }

    /// What most have of an event comes first, but before that what its publishers have.
    pub(super) fn versions<'a>(&'a self, event: &'a str) -> Vec<&'a Version> {
        let publishes = |version: &Version| self.publishers(event).any(|sent| version.services.contains(&sent.service));
        let mut versions: Vec<&Version> = self.events.get(event).into_iter().flatten().collect();
        versions.sort_by_cached_key(|version| {
            let services = version.services.iter().cloned().collect::<Vec<_>>();
            (!publishes(version), usize::MAX - services.len(), services, version.message.to_string())
        });
        versions
    }

    /// Those who publish an event.
    pub(super) fn publishers<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Sent> {
        self.sends.iter().filter(move |sent| sent.event == event)
    }

    /// Its ways.
    pub(super) fn ways_of<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Way> {
        self.ways.iter().filter(move |way| way.event == event)
    }

    fn know(&mut self, event: &str, message: &Json, service: &str) {
        let versions = self.events.entry(event.to_owned()).or_default();
        match versions.iter_mut().find(|version| version.message == *message) {
            Some(version) => drop(version.services.insert(service.to_owned())),
            None => versions.push(Version { message: message.clone(), services: [service.to_owned()].into() }),
        }
    }

    fn flows(&mut self, operation: &Json, sent: Sent) {
        match operation["action"].as_str() {
            Some("send") => drop(self.sends.insert(sent)),
            _ => drop(self.ways.insert(way(operation, sent))),
        }
    }
}

fn way(operation: &Json, sent: Sent) -> Way {
    let told = |name: &str| text(&operation[name]);
    let is = |name: &str, words: &'static str| operation[name].as_bool().unwrap_or_default().then_some(words);
    let kept = [
        is("x-ordered", "in order per key"),
        is("x-halts-on-dead-letters", "a dead letter halts its key"),
        is("x-per-instance", "one for each instance"),
    ];
    let pace = (operation["x-concurrency"].as_u64(), operation["x-timeout-seconds"].as_f64());
    let delays = operation["x-retry-after-seconds"]
        .as_array()
        .map(|delays| delays.iter().filter_map(Json::as_f64).map(shown).collect::<Vec<_>>());
    Way {
        event: sent.event,
        service: sent.service,
        topic: sent.topic,
        queue: Queue { name: told("x-queue"), transport: told("x-transport") },
        dead_letters: told("x-dead-letters"),
        handler: told("x-handler"),
        filter: told("x-filter"),
        upcast_to: told("x-upcast-to"),
        pace: match pace {
            (Some(count), Some(seconds)) => format!("{count} at once, {} each", shown(seconds)),
            _ => String::new(),
        },
        retries: match delays.as_deref() {
            None => String::new(),
            Some([]) => "none".to_owned(),
            Some(delays) => format!("after {}", delays.join(", ")),
        },
        kept: kept.into_iter().flatten().collect::<Vec<_>>().join(", "),
    }
}

/// What a reference stands for, and what that calls itself; else the end of the reference.
fn named<'a>(document: &'a Json, reference: &'a Json, name: &str) -> (&'a Json, String) {
    let found = resolve(document, reference);
    let end = reference["$ref"].as_str().and_then(|target| target.rsplit('/').next());
    let own = found[name].as_str().or(end).unwrap_or_default();
    (found, own.to_owned())
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A time in the largest unit that tells it whole.
fn shown(seconds: f64) -> String {
    let Ok(time) = Duration::try_from_secs_f64(seconds) else { return format!("{seconds} s") };
    let seconds = time.as_secs();
    match seconds {
        _ if time.subsec_nanos() > 0 || seconds == 0 => format!("{time:?}"),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}
