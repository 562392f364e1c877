//! What of an event lies beside its payload: where it travels, its key and its attributes.

use std::collections::BTreeMap;

use super::{Direction, Raw, Severity};
use crate::{
    lock::{Body, Event, Field, Item, Kind, Lock, Type},
    model::Location,
};

const BOTH: [Direction; 2] = [Direction::NewReadsOld, Direction::OldReadsNew];
const READERS: [Direction; 1] = [Direction::OldReadsNew];

/// What changes beside the payload.
pub(super) fn compare(name: &str, old: (&Item, &Event), new: (&Item, &Event)) -> Vec<Raw> {
    let mut found = Vec::new();
    let at = &new.0.at;
    let mut note = |rule, directions: &[Direction], before: &str, after: &str| {
        if before != after {
            found.push(Raw::of_event(rule, name, at).both(before, after).hurting(directions));
        }
    };
    let (before, after) = (old.1, new.1);
    note("topic-changed", &BOTH, &before.topic, &after.topic);
    note("routing-key-changed", &READERS, &before.routing_key, &after.routing_key);
    note("ordering-changed", &BOTH, ordered(before), ordered(after));
    if let Some(key) = key(old.0) {
        note("key-changed", &BOTH, key, self::key(new.0).unwrap_or_default());
    }
    if let Some(field) = subject(old.0) {
        let after = subject(new.0).map_or("", |field| &field.name);
        if field.name != after {
            let raw = Raw::of_event("subject-changed", name, at).both(&field.name, after);
            found.push(raw.hurting(&[Direction::NewReadsOld]));
        }
    }
    found.extend(attributes(name, old.0, new.0));
    found
}

fn ordered(event: &Event) -> &'static str {
    if event.ordered { "ordered" } else { "not ordered" }
}

fn key(item: &Item) -> Option<&str> {
    item.fields().iter().find(|field| field.key).map(|field| field.name.as_str())
}

fn subject(item: &Item) -> Option<&Field> {
    item.fields().iter().find(|field| field.subject)
}

fn attributes(name: &str, old: &Item, new: &Item) -> Vec<Raw> {
    let (before, after) = (declared(old), declared(new));
    let mut found = Vec::new();
    for (attribute, field) in &before {
        let known = after.get(attribute);
        let at = known.map_or(&new.at, |field| &field.at);
        let raw = |rule| Raw::of_event(rule, name, at).at_path(attribute);
        match known {
            None => found.push(raw("attribute-removed").both("an attribute", "").hurting(&READERS)),
            Some(now) if kind(now) != kind(field) => {
                found.push(raw("attribute-type-changed").both(kind(field), kind(now)).hurting(&BOTH));
            }
            Some(_) => {}
        }
    }
    for (attribute, field) in after.iter().filter(|(attribute, _)| !before.contains_key(*attribute)) {
        let raw = Raw::of_event("attribute-added", name, &field.at).at_path(attribute).both("", "an attribute");
        found.push(raw.hurting(&[Direction::NewReadsOld]).severity(Severity::Note));
    }
    found
}

fn declared(item: &Item) -> BTreeMap<&str, &Field> {
    item.fields().iter().filter(|field| field.attribute).map(|field| (field.name.as_str(), field)).collect()
}

/// The kinds that attributes have on the way.
fn kind(field: &Field) -> &'static str {
    match &field.ty {
        Type::Scalar(Kind::Bool | Kind::Boolean) => "true or false",
        Type::Scalar(Kind::Text | Kind::Bytes | Kind::Uuid | Kind::DateTime) | Type::Named(_) => "text",
        _ => "a number",
    }
}

/// Events that had a topic for themselves, and no longer have.
pub(super) fn shared(old: &Lock, new: &Lock) -> Vec<Raw> {
    let (before, after) = (by_topic(old), by_topic(new));
    let mut found = Vec::new();
    for (topic, events) in &before {
        let ([alone], Some(now)) = (events.as_slice(), after.get(topic)) else { continue };
        if !now.iter().any(|(name, _)| *name == alone.0) {
            continue;
        }
        for (name, at) in now.iter().filter(|(name, _)| *name != alone.0) {
            let text = format!("`{}` alone on the topic `{topic}`", alone.0);
            let also = format!("`{name}` on it too");
            found.push(Raw::of_event("topic-shared", alone.0, at).both(&text, &also).hurting(&READERS));
        }
    }
    found
}

fn by_topic(lock: &Lock) -> BTreeMap<&str, Vec<(&str, &Location)>> {
    let mut topics = BTreeMap::<_, Vec<_>>::new();
    for (name, item, event) in lock.events() {
        topics.entry(event.topic.as_str()).or_default().push((name.as_str(), &item.at));
    }
    topics
}

/// What nobody reads wrongly today, and may tomorrow: numbers set free, objects closed, fields that gain presence.
pub(super) fn history(name: &str, path: &str, old: &Item, new: &Item) -> Vec<Raw> {
    let (Body::Object(before), Body::Object(after)) = (&old.body, &new.body) else { return Vec::new() };
    let mut found = Vec::new();
    let place = |field: &str| super::walk::join(path, field);
    for field in &after.fields {
        let is_kept = |number: u32| {
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            before.reserved.numbers.iter().any(|(first, last)| (*first..=*last).contains(&number))
        };
        if field.number.is_some_and(is_kept) || before.reserved.names.contains(&field.name) {
            let raw = Raw::of_event("reserved-used", name, &field.at).at_path(&place(&field.name));
            found.push(raw.both("reserved", &super::text::field(field)).hurting(&[Direction::NewReadsOld]).for_ever());
        }
        let same = super::walk::counterpart(field, after, before);
        if let Some(same) = same.filter(|same| same.personal != field.personal) {
            let rule = if field.personal { "personal-added" } else { "personal-removed" };
            let raw = Raw::of_event(rule, name, &field.at).at_path(&place(&field.name)).severity(Severity::Note);
            let raw = raw.both(&super::text::field(same), &super::text::field(field));
            found.push(raw.hurting(&[Direction::NewReadsOld]));
        }
        let same = same.filter(|same| same.number.is_some());
        let Some(same) = same.filter(|same| same.presence != field.presence) else { continue };
        let raw = Raw::of_event("presence-changed", name, &field.at).at_path(&place(&field.name));
        let raw = raw.both(&super::text::field(same), &super::text::field(field));
        found.push(raw.hurting(&BOTH).severity(Severity::Note));
    }
    for field in before.fields.iter().filter(|field| super::walk::counterpart(field, before, after).is_none()) {
        let Some(number) = field.number.and_then(|number| i32::try_from(number).ok()) else { continue };
        let is_kept = after.reserved.numbers.iter().any(|(first, last)| (*first..=*last).contains(&number))
            && after.reserved.names.contains(&field.name);
        if !is_kept {
            let raw = Raw::of_event("number-not-reserved", name, &new.at).at_path(&place(&field.name));
            let raw = raw.both(&super::text::field(field), "").severity(Severity::Note);
            found.push(raw.hurting(&[Direction::NewReadsOld]).for_ever());
        }
    }
    if after.closed && !before.closed {
        let raw = Raw::of_event("object-closed", name, &new.at).at_path(path).both("open", "closed");
        found.push(raw.hurting(&[Direction::NewReadsOld]));
    }
    found
}
