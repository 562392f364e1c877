//! Many made-up events of a contract: everything in them, little in them, and each value that its types end with.
//!
//! Each is the fullest event there is, with one value another. The contract is asked whether it takes it.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::{Map, Value};

use super::{
    Told, resolve,
    values::{counts, values},
};
use crate::{codec::Payload, event::Encoding};

/// The most of one event.
const MOST: usize = 200;
/// How deep values in values go that nobody asks for, and how deep those that are required.
const DEPTH: [usize; 2] = [3, 12];
/// The most choices in one field, and the most of them that are made in another way.
const WIDEST: usize = 400;
const CHANGES: usize = 60;

/// An event in every encoding that its contract has, JSON first.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Which of them it is: `all`, `least`, `currency-2`.
    pub(crate) name: String,
    pub(crate) payloads: Vec<Payload>,
}

/// A property with its schema, and the values to try for it, the likeliest first.
struct Property<'a> {
    name: &'a str,
    schema: &'a Value,
    values: Vec<Value>,
}

type Event = Map<String, Value>;

/// None, where nothing was found that the contract takes.
pub(super) fn of(schema: &Value, told: &Told) -> Vec<Sample> {
    let root = resolve(schema, schema);
    let known = RefCell::default();
    let properties = root["properties"].as_object().into_iter().flatten();
    let properties = properties.map(|(name, property)| {
        let values = changes((schema, &known), property);
        Property { name, schema: property, values }
    });
    let properties: Vec<_> = properties.collect();
    let Some(least) = least(root, told, &properties) else { return Vec::new() };
    let mut all = least.clone();
    for property in properties.iter().filter(|property| !least.contains_key(property.name)) {
        let mut tried = property.values.iter().map(|value| with(&all, property.name, value));
        all = tried.find(|event| takes(told, event)).unwrap_or(all);
    }
    let mut found = Found { told, samples: Vec::new() };
    found.add("all", &all);
    found.add("least", &least);
    for Property { name, values, .. } in &properties {
        for (n, value) in values.iter().enumerate() {
            // Of a oneof one is there.
            let tried = [with(&all, name, value), with(&least, name, value)];
            let _ = tried.iter().any(|event| found.add(&format!("{name}-{}", n + 1), event));
        }
    }
    found.samples
}

fn with(event: &Event, name: &str, value: &Value) -> Event {
    let mut event = event.clone();
    event.insert(name.to_owned(), value.clone());
    event
}

fn takes(told: &Told, event: &Event) -> bool {
    told.canonical(&Value::Object(event.clone())).is_some()
}

/// An event with as little in it as was found: what is required, what seems to be, or everything.
fn least(root: &Value, told: &Told, properties: &[Property<'_>]) -> Option<Event> {
    let required = |property: &Property<'_>| {
        root["required"].as_array().is_some_and(|names| names.iter().any(|name| name == property.name))
    };
    let is_asked = |property: &Property<'_>| {
        let bounds = ["minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum"];
        bounds.iter().any(|name| property.schema[name].as_f64().is_some_and(|bound| bound > 0.0))
    };
    let wishes: [&dyn Fn(&Property<'_>) -> bool; 3] =
        [&required, &|property| required(property) || is_asked(property), &|_| true];
    let mut event = wishes.into_iter().find_map(|wish| {
        let wanted: Vec<_> = properties.iter().filter(|property| wish(property)).collect();
        fill(told, &wanted)
    })?;
    for property in properties {
        let mut less = event.clone();
        less.remove(property.name);
        event = if takes(told, &less) { less } else { event };
    }
    Some(event)
}

/// An event with these properties; if not with the likeliest values, then with one of them another.
fn fill(told: &Told, wanted: &[&Property<'_>]) -> Option<Event> {
    let likely =
        wanted.iter().filter_map(|property| Some((property.name.to_owned(), property.values.first()?.clone())));
    let likely: Event = likely.collect();
    let values = wanted.iter().flat_map(|property| property.values.iter().map(|value| (property.name, value)));
    let others = values.map(|(name, value)| with(&likely, name, value));
    [likely.clone()].into_iter().chain(others).find(|event| takes(told, event))
}

/// The samples so far.
struct Found<'a> {
    told: &'a Told,
    samples: Vec<Sample>,
}

impl Found<'_> {
    /// Does the contract take it?
    fn add(&mut self, name: &str, event: &Event) -> bool {
        if self.samples.len() == MOST {
            return true;
        }
        let Some(json) = self.told.canonical(&Value::Object(event.clone())) else { return false };
        if self.samples.iter().any(|known| known.payloads[0] == json) {
            return true;
        }
        let binary = (self.told.recode)(&json, Encoding::Protobuf).ok();
        let payloads = [json].into_iter().chain(binary).collect();
        self.samples.push(Sample { name: name.to_owned(), payloads });
        true
    }
}

/// The values of each schema that was met, by its address.
type Known = RefCell<BTreeMap<usize, Vec<Value>>>;

/// The likeliest value of a schema, then each that has one thing in it another.
fn changes((root, known): (&Value, &Known), schema: &Value) -> Vec<Value> {
    let make = |change| {
        let maker = Maker { root, known, change, choices: RefCell::default() };
        (maker.make(schema, 0), maker.choices.into_inner())
    };
    let (first, choices) = make(None);
    let places = choices.iter().enumerate().flat_map(|(place, count)| (1..*count).map(move |choice| (place, choice)));
    let others = places.take(CHANGES).map(|change| make(Some(change)).0);
    [first].into_iter().chain(others).collect()
}

/// Makes a value, and notes how many choices it had at each place.
struct Maker<'a> {
    root: &'a Value,
    known: &'a Known,
    /// The place where it does not make the first choice, and the one it makes there.
    change: Option<(usize, usize)>,
    choices: RefCell<Vec<usize>>,
}

impl Maker<'_> {
    /// One of so many.
    fn choose(&self, count: usize) -> usize {
        let mut choices = self.choices.borrow_mut();
        choices.push(count);
        self.change.filter(|(place, _)| *place + 1 == choices.len()).map_or(0, |(_, choice)| choice.min(count - 1))
    }

    fn is_full(&self) -> bool {
        self.choices.borrow().len() > WIDEST
    }

    fn make(&self, schema: &Value, depth: usize) -> Value {
        if depth > DEPTH[1] || self.is_full() {
            return Value::Null;
        }
        let schema = resolve(self.root, schema);
        let choices = schema["oneOf"].as_array().or(schema["anyOf"].as_array()).filter(|choices| !choices.is_empty());
        if let Some(choices) = choices {
            return self.make(&choices[self.choose(choices.len())], depth + 1);
        }
        let kind = schema["type"].as_str().or(schema["type"].get(0).and_then(Value::as_str));
        match kind {
            Some("object") => self.object(schema, depth),
            Some("array") => self.list(schema, depth),
            _ => self.plain(schema),
        }
    }

    fn plain(&self, schema: &Value) -> Value {
        let mut known = self.known.borrow_mut();
        let values = known.entry(std::ptr::from_ref(schema).addr()).or_insert_with(|| values(schema));
        values.get(self.choose(values.len().max(1))).cloned().unwrap_or_default()
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.contains(&name.into()));
        // What may be left out is once there and once not.
        let is_rich = depth < DEPTH[0] && self.choose(2) == 0;
        let properties = schema["properties"].as_object().into_iter().flatten();
        let wanted = properties.filter(|(name, _)| is_rich || required(name));
        let mut object: Event = wanted.map(|(name, schema)| (name.clone(), self.make(schema, depth + 1))).collect();
        if schema["additionalProperties"].is_object() {
            object.extend(self.map(schema, depth));
        }
        object.into()
    }

    fn map(&self, schema: &Value, depth: usize) -> Event {
        let counts = counts(schema, "Properties");
        let count = counts.get(self.choose(counts.len().max(1))).copied().unwrap_or_default();
        // A key may be text, a number, true or false; the contract knows.
        let key = ["a", "1", "true", "ä"][self.choose(4)];
        let name = |n: u64| if n == 0 { key.to_owned() } else { n.to_string() };
        let count = if depth < DEPTH[0] { count } else { 0 };
        (0..count).map(|n| (name(n), self.make(&schema["additionalProperties"], depth + 1))).collect()
    }

    fn list(&self, schema: &Value, depth: usize) -> Value {
        let counts = counts(schema, "Items");
        let count = counts.get(self.choose(counts.len().max(1))).copied().unwrap_or_default();
        let count = if depth < DEPTH[0] { count } else { schema["minItems"].as_u64().unwrap_or(0) };
        let items = (0..count).take_while(|_| !self.is_full());
        items.map(|_| self.make(&schema["items"], depth + 1)).collect::<Vec<_>>().into()
    }
}
