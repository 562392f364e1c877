//! Those who subscribe, each asked what a change means to it.

use std::collections::BTreeMap;

use super::{
    Direction, Found, Raw, Scope, Severity, encodings, event,
    walk::{self, Effect, Problem, Walked},
};
use crate::{
    lock::{ALL, Lock},
    model::Location,
};

/// A service with its lock.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) name: String,
    pub(crate) lock: Lock,
    /// The events it subscribes to, and of each the paths it reads.
    pub(crate) reads: BTreeMap<String, Vec<String>>,
}

/// Asks each consumer; what hurts none of them is a note.
pub(super) fn ask(consumers: &[Consumer], new: &Lock, scope: &Scope, findings: &mut Vec<Raw>) {
    let mut hurt = Found::default();
    for consumer in consumers {
        for (name, reads) in &consumer.reads {
            let Some(theirs) = consumer.lock.event(name) else { continue };
            let mut found = Found::default();
            match new.event(name) {
                Some(now) => {
                    let beside = event::compare(name, theirs, now).into_iter();
                    beside
                        .filter(|raw| raw.directions.contains(&Direction::OldReadsNew))
                        // Who filters on an attribute reads it.
                        .filter(|raw| !raw.rule.starts_with("attribute-") || is_read(&raw.path, reads))
                        .for_each(|raw| found.add(raw));
                    for encoding in encodings(name, new, scope) {
                        let walked = walk::walk(new, &consumer.lock, name, encoding);
                        let parts = by_object(&walked, reads);
                        let is_read = |problem: &Problem| is_read(&problem.member, &parts[problem.object]);
                        let problems = walked.problems.into_iter();
                        problems
                            .filter(|problem| problem.effect != Effect::Lost || is_read(problem))
                            .for_each(|problem| found.add(Raw::of(name, problem, encoding, Direction::OldReadsNew)));
                    }
                }
                // Another service's event is no business of this one.
                None if findings.iter().all(|raw| raw.rule != "event-removed" || raw.event != *name) => {}
                None => {
                    let at = findings
                        .iter()
                        .find(|raw| raw.event == *name)
                        .map_or_else(Location::default, |raw| raw.at.clone());
                    found.add(
                        Raw::of_event("event-removed", name, &at)
                            .both("an event", "")
                            .hurting(&[Direction::OldReadsNew]),
                    );
                }
            }
            for mut raw in found.0 {
                raw.directions = vec![Direction::OldReadsNew];
                raw.breaks = vec![consumer.name.clone()];
                hurt.add(raw);
            }
        }
    }
    judge(consumers, findings, hurt);
}

/// Puts what consumers said beside what everybody would say.
fn judge(consumers: &[Consumer], findings: &mut Vec<Raw>, mut hurt: Found) {
    let subscribed = |event: &str| -> Vec<String> {
        consumers
            .iter()
            .filter(|consumer| consumer.reads.contains_key(event))
            .map(|consumer| consumer.name.clone())
            .collect()
    };
    for raw in findings.iter_mut().filter(|raw| raw.directions.contains(&Direction::OldReadsNew)) {
        let own = hurt.0.iter().position(|own| own.is_same(raw));
        raw.breaks = match raw.rule {
            // It hurts by what others publish, not by what is read.
            "topic-shared" => subscribed(&raw.event),
            _ => own.map_or_else(Vec::new, |own| hurt.0.remove(own).breaks),
        };
        raw.safe_for = subscribed(&raw.event).into_iter().filter(|name| !raw.breaks.contains(name)).collect();
        if raw.breaks.is_empty() {
            raw.directions.retain(|direction| *direction == Direction::NewReadsOld);
            if raw.directions.is_empty() {
                raw.directions.push(Direction::OldReadsNew);
                raw.severity = Severity::Note;
            }
        }
    }
    for mut raw in hurt.0 {
        raw.safe_for = subscribed(&raw.event).into_iter().filter(|name| !raw.breaks.contains(name)).collect();
        findings.push(raw);
    }
}

/// What is read of each object, on whichever way: a type may be in many places.
fn by_object(walked: &Walked<'_>, reads: &[String]) -> Vec<Vec<String>> {
    let mut parts = vec![Vec::new(); walked.objects];
    let mut open: Vec<_> = reads.iter().map(|read| (0, read.clone())).collect();
    while let Some((object, read)) = open.pop() {
        if parts[object].contains(&read) {
            continue;
        }
        let ways = walked.ways.iter().filter(|way| way.from == object);
        open.extend(ways.filter_map(|way| Some((way.to, inside(&way.member, &read)?))));
        parts[object].push(read);
    }
    parts
}

/// What of a field's object is read, where this is.
fn inside(field: &str, read: &str) -> Option<String> {
    if read == ALL || read == field {
        return Some(ALL.to_owned());
    }
    read.strip_prefix(field)?.strip_prefix('.').map(str::to_owned)
}

/// Is the field, something in it, or what it is in, among those that are read?
fn is_read(path: &str, reads: &[String]) -> bool {
    let path = path.split('=').next().unwrap_or(path);
    let inside = |outer: &str, inner: &str| {
        inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
    };
    reads.iter().any(|read| read == ALL || inside(read, path) || inside(path, read))
}
