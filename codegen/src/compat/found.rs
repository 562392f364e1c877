//! Findings in the making.

use super::{Direction, Encoding, Finding, Horizon, Place, Severity, clean, rule, walk::Problem};
use crate::model::Location;

/// Findings in the making: what is said of one thing more than once is put together.
#[derive(Default)]
pub(super) struct Found(pub(super) Vec<Raw>);

impl Found {
    pub(super) fn add(&mut self, raw: Raw) {
        let Some(known) = self.0.iter_mut().find(|known| known.is_same(&raw)) else {
            return self.0.push(raw);
        };
        merge(&mut known.directions, raw.directions);
        merge(&mut known.encodings, raw.encodings);
        merge(&mut known.breaks, raw.breaks);
        known.for_ever |= raw.for_ever;
        known.severity = known.severity.max(raw.severity);
    }
}

fn merge<T: Ord>(known: &mut Vec<T>, more: Vec<T>) {
    known.extend(more);
    known.sort();
    known.dedup();
}

/// A finding in the making.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) rule: &'static str,
    pub(super) severity: Severity,
    pub(super) event: String,
    pub(super) path: String,
    pub(super) directions: Vec<Direction>,
    pub(super) encodings: Vec<Encoding>,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) at: Location,
    pub(super) for_ever: bool,
    pub(super) breaks: Vec<String>,
    pub(super) safe_for: Vec<String>,
}

impl Raw {
    pub(super) fn of_event(rule: &'static str, event: &str, at: &Location) -> Self {
        Self {
            rule,
            severity: Severity::Breaking,
            event: event.to_owned(),
            path: String::new(),
            directions: Vec::new(),
            encodings: Vec::new(),
            before: String::new(),
            after: String::new(),
            at: at.clone(),
            for_ever: false,
            breaks: Vec::new(),
            safe_for: Vec::new(),
        }
    }

    pub(super) fn of(event: &str, problem: Problem, encoding: Encoding, direction: Direction) -> Self {
        let Problem { cause, path, writer, reader, .. } = problem;
        let (ids, is_new_reader) = (cause.ids(), direction == Direction::NewReadsOld);
        let (rule, before, after) = if is_new_reader { (ids.0, writer, reader) } else { (ids.1, reader, writer) };
        let is_reused = matches!(rule, "number-reused" | "json-name-reused" | "enum-number-changed");
        Self {
            path,
            directions: vec![direction],
            encodings: vec![encoding],
            before: before.text,
            after: after.text,
            for_ever: is_reused,
            ..Self::of_event(rule, event, &after.at)
        }
    }

    pub(super) fn at_path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    pub(super) fn both(self, before: &str, after: &str) -> Self {
        Self { before: before.to_owned(), after: after.to_owned(), ..self }
    }

    pub(super) fn hurting(self, directions: &[Direction]) -> Self {
        Self { directions: directions.to_vec(), ..self }
    }

    pub(super) fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    pub(super) fn for_ever(self) -> Self {
        Self { for_ever: true, ..self }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.rule, &self.event, &self.path) == (other.rule, &other.event, &other.path)
    }

    pub(super) fn finish(self) -> Finding {
        let mut horizons = vec![Horizon::InFlight];
        if self.directions.contains(&Direction::NewReadsOld) {
            horizons.extend([Horizon::DeadLetters, Horizon::Store]);
        }
        horizons.extend(self.for_ever.then_some(Horizon::ForEver));
        let cleaned = |texts: Vec<String>| texts.iter().map(|text| clean(text)).collect();
        Finding {
            rule: rule::find(self.rule),
            severity: self.severity,
            event: clean(&self.event),
            path: clean(&self.path),
            directions: self.directions,
            encodings: self.encodings,
            horizons,
            before: clean(&self.before),
            after: clean(&self.after),
            place: Place::from(&self.at),
            breaks: cleaned(self.breaks),
            safe_for: cleaned(self.safe_for),
        }
    }
}
