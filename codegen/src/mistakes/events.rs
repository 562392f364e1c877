//! Events: names, topics, keys and attributes.

use std::collections::BTreeMap;

use crate::model::{Contracts, Dialect, Event, Field, Mistakes, Presence, Scalar, Struct, Type};

/// The most attributes a message may have: SNS and SQS take no more than ten.
const BROKER_LIMIT: usize = 10;
/// What travels with every event: its name, and the two parts of the trace context.
const TRAVELLING: [&str; 3] = ["tegami-event", "traceparent", "tracestate"];
/// What is left for a contract to declare.
const BUDGET: usize = BROKER_LIMIT - TRAVELLING.len();
/// The longest topic SNS takes.
const TOPIC_LIMIT: usize = 256;
/// The longest routing key AMQP 0-9-1 takes: a short string.
const ROUTING_KEY_LIMIT: usize = 255;

pub(super) fn check(set: &Contracts, mistakes: &mut Mistakes) {
    duplicates(set, mistakes);
    for item in set.structs() {
        match &item.event {
            Some(event) => check_event(item, event, mistakes),
            None => refuse_outside_events(&item.fields, mistakes),
        }
    }
    set.unions().for_each(|item| refuse_outside_events(&item.variants, mistakes));
}

/// Names that two contracts declare, perhaps in two languages.
fn duplicates(set: &Contracts, mistakes: &mut Mistakes) {
    let structs = set.structs().map(|item| (&item.name, &item.at));
    let types = structs.chain(set.enums().map(|item| (&item.name, &item.at)));
    let mut known = BTreeMap::new();
    for (name, at) in types.chain(set.unions().map(|item| (&item.name, &item.at))) {
        let Some(first) = known.insert(name, at) else { continue };
        let reason = format!("`{name}` is declared twice, first in {}:{}", first.file, first.line);
        mistakes.add(at, reason, "the name is the identity on the wire: rename one of them");
    }
}

fn check_event(item: &Struct, event: &Event, mistakes: &mut Mistakes) {
    let Event { topic, topic_at, routing_key, .. } = event;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    if topic.len() > TOPIC_LIMIT {
        let reason = format!("the topic has {} characters, and {TOPIC_LIMIT} at most are taken", topic.len());
        mistakes.add(topic_at, reason, "brokers take no longer one: set a shorter `topic`");
    } else if topic.is_empty() || !topic.chars().all(allowed) {
        let reason = format!("topic `{topic}` has other characters than letters, digits, `_` and `-`");
        mistakes.add(topic_at, reason, "brokers take no others: set another `topic`");
    }
    if routing_key.len() > ROUTING_KEY_LIMIT {
        let reason =
            format!("the routing key has {} bytes, and {ROUTING_KEY_LIMIT} at most are taken", routing_key.len());
        mistakes.add(&item.at, reason, "AMQP takes no longer one: set a shorter `routing_key`");
    }
    check_keys(item, event, mistakes);
    check_attributes(item, mistakes);
}

fn check_keys(item: &Struct, event: &Event, mistakes: &mut Mistakes) {
    let keys: Vec<_> = item.fields.iter().filter(|field| field.key).collect();
    for second in keys.iter().skip(1) {
        let reason = format!("event `{}` has two keys, `{}` and `{}`", item.name, keys[0].name, second.name);
        mistakes.add(&second.at, reason, "one field says what must stay in order together: keep one `key`");
    }
    for field in &keys {
        let fits = match &field.ty {
            Type::Scalar(scalar) => !matches!(scalar, Scalar::Bytes | Scalar::Float | Scalar::Double | Scalar::Bool),
            _ => false,
        };
        if !fits {
            let reason = format!("key `{}` is {}", field.name, describe(&field.ty));
            mistakes.add(&field.at, reason, "a key is a string or a whole number");
        }
    }
    if event.ordered && keys.is_empty() {
        let reason = format!("event `{}` is ordered, but has no key", item.name);
        mistakes.add(&item.at, reason, "set `key: true` on the field whose events stay in order");
    }
}

fn check_attributes(item: &Struct, mistakes: &mut Mistakes) {
    let attributes: Vec<_> = item.fields.iter().filter(|field| field.attribute).collect();
    for (n, field) in attributes.iter().enumerate() {
        if n == BUDGET {
            let reason =
                format!("event `{}` has {} attributes, and {BUDGET} at most travel", item.name, attributes.len());
            let hint = format!(
                "brokers take {BROKER_LIMIT} for a message, and `{}` are among them: keep those that are filtered on",
                TRAVELLING.join("`, `")
            );
            mistakes.add(&field.at, reason, hint);
        }
        check_attribute(item, field, mistakes);
    }
}

fn check_attribute(item: &Struct, field: &Field, mistakes: &mut Mistakes) {
    let name = &field.name;
    if name.starts_with("tegami-") || name == "tegami" || TRAVELLING.contains(&name.as_str()) {
        let reason = format!("attribute `{name}` has a name that tegami uses itself");
        mistakes.add(&field.at, reason, "rename the field");
    }
    if !matches!(&field.ty, Type::Enum(_) | Type::Scalar(_)) || field.ty == Type::Scalar(Scalar::Bytes) {
        let reason = format!("attribute `{name}` is {}", describe(&field.ty));
        mistakes.add(
            &field.at,
            reason,
            "brokers filter on strings, numbers, bools and enums: give it a field of its own",
        );
    } else if item.dialect == Dialect::Protobuf && field.presence != Presence::Plain {
        let reason = format!("attribute `{name}` is `optional`");
        mistakes.add(&field.at, reason, "remove `optional`: an empty string does not travel as an attribute anyway");
    }
}

/// A type as the author of a contract would call it.
fn describe(ty: &Type) -> &'static str {
    match ty {
        Type::Scalar(Scalar::Bytes) => "bytes",
        Type::Scalar(Scalar::Bool) => "a bool",
        Type::Scalar(Scalar::Float | Scalar::Double) => "a floating-point number",
        Type::Scalar(Scalar::Text | Scalar::Uuid) => "a string",
        Type::Scalar(_) => "a whole number",
        Type::Enum(_) => "an enum",
        Type::Struct(_) | Type::WellKnown(_) => "a message",
        Type::Union(_) => "a choice of several",
        Type::List(_) => "repeated",
        Type::Map(..) => "a map",
    }
}

fn refuse_outside_events(fields: &[Field], mistakes: &mut Mistakes) {
    for field in fields {
        let word = if field.key { "key" } else { "attribute" };
        if field.key || field.attribute {
            let reason = format!("`{}` is a {word}, but not a field of an event itself", field.name);
            let reason = reason.replace("a attribute", "an attribute");
            mistakes.add(&field.at, reason, "only what stands directly in an event can be one: move it there");
        }
    }
}
