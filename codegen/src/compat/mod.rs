//! Whether contracts that change still understand each other: two locks in, findings out.
//!
//! `walk` asks one question, "does this reader read all that this writer may write?", of the new contract with old data
//! and of the old one with new data. `event` looks at what lies beside the payload, `rule` is the table of rules,
//! `consumers` asks those who subscribe, `found` puts together what is said of one thing, `report` is what comes out.
//! Everything here is pure; files and git are the business of `gate`.

mod consumers;
mod event;
mod found;
mod report;
mod rule;
mod scalar;
mod text;
mod values;
mod walk;

pub use report::{Broken, Direction, Encoding, Finding, Horizon, Place, Report, Severity};
pub use rule::{RULES, Rule};

use crate::{
    lock::Lock,
    model::{Dialect, Location},
};
pub(crate) use consumers::Consumer;
use consumers::ask;
use found::{Found, Raw};
pub use text::clean;
use walk::Walked;

/// What to look at.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) directions: Vec<Direction>,
    pub(crate) encodings: Vec<Encoding>,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            directions: vec![Direction::NewReadsOld, Direction::OldReadsNew],
            encodings: vec![Encoding::Protobuf, Encoding::Json],
        }
    }
}

/// What becomes of those who read, when the old contracts are replaced by the new ones.
///
/// Without consumers everybody is thought to read everything. With them, they are all who read new data.
pub(crate) fn compare(old: &Lock, new: &Lock, consumers: &[Consumer], scope: &Scope) -> Report {
    let mut found = Found::default();
    for (name, item, before) in old.events() {
        let Some((now, after)) = new.event(name) else {
            let at = new.items.get(name).map_or_else(|| around(new, name, &item.at), |now| now.at.clone());
            let raw = Raw::of_event("event-removed", name, &at).both("an event", "");
            found.add(raw.hurting(&[Direction::OldReadsNew]));
            continue;
        };
        event::compare(name, (item, before), (now, after)).into_iter().for_each(|raw| found.add(raw));
        payload(name, (old, new), scope, &mut found);
    }
    event::shared(old, new).into_iter().for_each(|raw| found.add(raw));
    let mut findings = found.0;
    findings.retain_mut(|raw| {
        raw.directions.retain(|direction| scope.directions.contains(direction));
        !raw.directions.is_empty()
    });
    if !consumers.is_empty() && scope.directions.contains(&Direction::OldReadsNew) {
        ask(consumers, new, scope, &mut findings);
    }
    let mut findings: Vec<_> = findings.into_iter().map(Raw::finish).collect();
    findings.sort_by(|left, right| {
        let order =
            |finding: &Finding| (finding.place.clone(), finding.event.clone(), finding.path.clone(), finding.rule.id);
        order(left).cmp(&order(right))
    });
    let consumers = consumers.iter().map(|consumer| clean(&consumer.name)).collect();
    Report { findings, events: old.events().count(), consumers }
}

/// A place near an event that is gone: another event of its package, or else where it stood.
fn around(new: &Lock, name: &str, stood: &Location) -> Location {
    let package = name.rsplit_once('.').map_or("", |(package, _)| package);
    let near = new.events().find(|(other, ..)| other.rsplit_once('.').is_some_and(|(other, _)| other == package));
    near.map_or_else(|| stood.clone(), |(_, item, _)| Location { line: 0, column: 0, ..item.at.clone() })
}

/// The payload, both ways and in every encoding.
fn payload(name: &str, (old, new): (&Lock, &Lock), scope: &Scope, found: &mut Found) {
    for encoding in encodings(name, new, scope) {
        let Walked { problems, pairs, .. } = walk::walk(old, new, name, encoding);
        // That old data lacks a new field is what its reader knows.
        for problem in problems.into_iter().filter(|problem| problem.cause != rule::Cause::Lost) {
            found.add(Raw::of(name, problem, encoding, Direction::NewReadsOld));
        }
        for pair in pairs {
            event::history(name, &pair.path, pair.writer, pair.reader).into_iter().for_each(|raw| found.add(raw));
        }
        for problem in walk::walk(new, old, name, encoding).problems {
            found.add(Raw::of(name, problem, encoding, Direction::OldReadsNew));
        }
    }
}

fn encodings(name: &str, lock: &Lock, scope: &Scope) -> Vec<Encoding> {
    let dialect = lock.items.get(name).map(|item| item.dialect);
    let has = |encoding: &&Encoding| **encoding == Encoding::Json || dialect == Some(Dialect::Protobuf);
    scope.encodings.iter().filter(has).copied().collect()
}
