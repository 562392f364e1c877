//! The file of a lock: JSON with one field, value or event a line, so that a review reads what changes.
//!
//! JSON because this crate reads it already, with places and strictly; a build script needs nothing new for it.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{Body, Enum, Event, Field, Item, Lock, Presence, Service, VERSION};
use crate::model::{Dialect, Format, Reserved, Rules};

/// The text of the file: the same for the same lock, byte for byte.
pub(crate) fn write(lock: &Lock) -> String {
    let items = lock.items.iter().map(|(name, item)| (name.clone(), self::item(item)));
    let services = lock.services.iter().map(|(name, service)| (name.clone(), self::service(service)));
    let mut file =
        vec![("lock".to_owned(), Text::Line(json!(VERSION))), ("contracts".to_owned(), Text::Block(items.collect()))];
    if !lock.services.is_empty() {
        file.push(("services".to_owned(), Text::Block(services.collect())));
    }
    let mut text = String::new();
    Text::Block(file).write(0, &mut text);
    text.push('\n');
    text
}

/// How a value stands in the file.
enum Text {
    /// On the line of its name.
    Line(Value),
    /// One member a line.
    Block(Vec<(String, Text)>),
    /// One item a line.
    List(Vec<Value>),
}

impl Text {
    fn write(&self, depth: usize, text: &mut String) {
        let (indent, outdent) = ("  ".repeat(depth + 1), "  ".repeat(depth));
        match self {
            Text::Line(value) => text.push_str(&line(value)),
            Text::Block(members) if members.is_empty() => text.push_str("{}"),
            Text::List(items) if items.is_empty() => text.push_str("[]"),
            Text::Block(members) => {
                text.push('{');
                for (n, (name, value)) in members.iter().enumerate() {
                    let comma = if n == 0 { "" } else { "," };
                    let _ = write!(text, "{comma}\n{indent}{}: ", json!(name));
                    value.write(depth + 1, text);
                }
                let _ = write!(text, "\n{outdent}}}");
            }
            Text::List(items) => {
                text.push('[');
                for (n, item) in items.iter().enumerate() {
                    let comma = if n == 0 { "" } else { "," };
                    let _ = write!(text, "{comma}\n{indent}{}", line(item));
                }
                let _ = write!(text, "\n{outdent}]");
            }
        }
    }
}

/// A value on one line, with spaces where people put them.
fn line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().map(|(name, value)| format!("{}: {}", json!(name), line(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}

fn item(item: &Item) -> Text {
    let format = match item.dialect {
        Dialect::Protobuf => "protobuf",
        Dialect::JsonSchema => "json-schema",
    };
    let mut members = vec![("format".to_owned(), Text::Line(json!(format)))];
    if let Some(event) = &item.event {
        members.push(("event".to_owned(), self::event(event, item.dialect)));
    }
    members.extend(match &item.body {
        Body::Object(object) => {
            let fields = object.fields.iter().map(|field| (field.name.clone(), Text::Line(self::field(field))));
            let closed = object.closed.then(|| ("closed".to_owned(), Text::Line(json!(true))));
            let fields = ("fields".to_owned(), Text::Block(fields.collect()));
            closed.into_iter().chain([fields]).chain(reserved(&object.reserved)).collect::<Vec<_>>()
        }
        Body::Enum(item) => [("values".to_owned(), values(item))].into_iter().chain(reserved(&item.reserved)).collect(),
        Body::Union(union) => {
            let variants = union.variants.iter().map(|(value, to)| (value.clone(), Text::Line(json!(to))));
            let variants = Text::Block(variants.collect());
            vec![("tag".to_owned(), Text::Line(json!(union.tag))), ("variants".to_owned(), variants)]
        }
    });
    Text::Block(members)
}

fn event(event: &Event, dialect: Dialect) -> Text {
    let encodings = match dialect {
        Dialect::Protobuf => json!(["protobuf", "json"]),
        Dialect::JsonSchema => json!(["json"]),
    };
    let members = [
        ("version", json!(event.version)),
        ("topic", json!(event.topic)),
        ("routing_key", json!(event.routing_key)),
        ("ordered", json!(event.ordered)),
        ("encodings", encodings),
        ("fingerprint", json!(event.fingerprint)),
        ("source", json!(event.source)),
    ];
    Text::Block(members.into_iter().map(|(name, value)| (name.to_owned(), Text::Line(value))).collect())
}

fn values(item: &Enum) -> Text {
    if item.values.iter().any(|(_, number)| number.is_some()) {
        let values = item.values.iter().map(|(name, number)| (name.clone(), Text::Line(json!(number))));
        return Text::Block(values.collect());
    }
    Text::List(item.values.iter().map(|(name, _)| json!(name)).collect())
}

fn reserved(reserved: &Reserved) -> Option<(String, Text)> {
    let mut numbers = reserved.numbers.clone();
    numbers.sort_unstable();
    let numbers = numbers.iter().map(|(first, last)| json!([first, last]));
    let mut names = reserved.names.clone();
    names.sort();
    let items: Vec<_> = numbers.chain(names.iter().map(|name| json!(name))).collect();
    (!items.is_empty()).then(|| ("reserved".to_owned(), Text::Line(json!(items))))
}

/// What of a field is not as it mostly is.
pub(crate) fn field(field: &Field) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value, is_said: bool| {
        if is_said {
            members.insert(name.to_owned(), value);
        }
    };
    put("number", json!(field.number), field.number.is_some());
    put("json", json!(field.json), field.json != field.name);
    put("type", json!(field.ty.to_string()), true);
    put("oneof", json!(field.oneof), field.oneof.is_some());
    put("optional", json!(true), field.presence == Presence::Optional && field.oneof.is_none());
    put("nullable", json!(true), field.presence == Presence::Nullable);
    put("key", json!(true), field.key);
    put("attribute", json!(true), field.attribute);
    put("personal", json!(true), field.personal);
    put("subject", json!(true), field.subject);
    members.extend(rules(&field.rules));
    Value::Object(members)
}

fn rules(rules: &Rules) -> Map<String, Value> {
    let format = rules.format.map(|format| match format {
        Format::Date => "date",
        Format::Email => "email",
        Format::Uri => "uri",
    });
    let items = rules.items.as_ref().map(|items| Value::Object(self::rules(items)));
    let members = [
        ("required", json!(rules.required.then_some(true))),
        ("min_length", json!(rules.min_length)),
        ("max_length", json!(rules.max_length)),
        ("pattern", json!(rules.pattern)),
        ("minimum", number(rules.minimum)),
        ("maximum", number(rules.maximum)),
        ("above", number(rules.above)),
        ("below", number(rules.below)),
        ("unique", json!(rules.unique.then_some(true))),
        ("format", json!(format)),
        ("items", json!(items)),
    ];
    members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whole numbers without a fraction, as people write them.
fn number(bound: Option<f64>) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match bound {
        Some(bound) if bound.fract() == 0.0 && bound.abs() < EXACT => json!(bound as i64),
        bound => json!(bound),
    }
}

fn service(service: &Service) -> Text {
    let publishes = Text::List(service.publishes.iter().map(|event| json!(event)).collect());
    let subscribes = service.subscribes.iter().map(|(event, reads)| (event.clone(), Text::Line(json!(reads))));
    let subscribes = Text::Block(subscribes.collect());
    Text::Block(vec![("publishes".to_owned(), publishes), ("subscribes".to_owned(), subscribes)])
}
