//! What the gate says: findings, each with its rule, its place and who is hurt.

use std::fmt;

use super::{rule::Rule, text::clean};
use crate::model::Location;

/// What two contracts are compared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Protobuf's binary form.
    Protobuf,
    /// JSON: the canonical mapping of protobuf, or what a JSON Schema describes.
    Json,
}

/// Who reads whose data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// Readers with the new contract read data from before.
    NewReadsOld,
    /// Readers built before read new data.
    OldReadsNew,
}

/// How long data of the other contract is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Horizon {
    /// In queues, while versions change.
    InFlight,
    /// Put aside, and put back later.
    DeadLetters,
    /// In a store of events, read again from the start.
    Store,
    /// Nothing that is cleared away ends it.
    ForEver,
}

/// Whether a finding turns the gate red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Good to know; nothing is refused, misread or lost that anybody is known to read.
    Note,
    /// Somebody is hurt.
    Breaking,
}

/// A place in a file. Line and column count from 1; 0 is the file as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

/// One way in which a change hurts, or could.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that was broken.
    pub rule: Rule,
    /// Does it turn the gate red?
    pub severity: Severity,
    /// The event.
    pub event: String,
    /// The field, from the event: `line.sku`, a value of it as `size=LARGE`; empty for the event itself.
    pub path: String,
    /// Whose reading is hurt.
    pub directions: Vec<Direction>,
    /// In which encodings.
    pub encodings: Vec<Encoding>,
    /// For how long it matters.
    pub horizons: Vec<Horizon>,
    /// What was said before; empty where there was nothing.
    pub before: String,
    /// What is said now; empty where there is nothing.
    pub after: String,
    /// Where, in the new contract; of what is gone, what was around it.
    pub place: Place,
    /// The services that it breaks, where consumers were named.
    pub breaks: Vec<String>,
    /// The subscribed services that it does not break.
    pub safe_for: Vec<String>,
}

/// Everything the gate found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// By file and line; notes among them.
    pub findings: Vec<Finding>,
    /// How many events were compared.
    pub events: usize,
    /// The services that were asked, by name.
    pub consumers: Vec<String>,
}

impl Report {
    /// Is nobody hurt?
    pub fn is_compatible(&self) -> bool {
        self.breaking().next().is_none()
    }

    /// The findings that turn the gate red.
    pub fn breaking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Breaking)
    }

    /// Passes, or fails with everything that breaks, for the last line of a test.
    ///
    /// # Errors
    /// The contracts are not compatible.
    pub fn into_result(self) -> Result<Self, Broken> {
        if self.is_compatible() { Ok(self) } else { Err(Broken(self)) }
    }

    /// The last line: what came of it.
    pub fn summary(&self) -> String {
        let breaking = self.breaking().count();
        let events = self.events;
        let compared = if events == 1 { "1 event".to_owned() } else { format!("{events} events") };
        match breaking {
            0 => format!("compatible: {compared} compared"),
            1 => format!("NOT compatible: 1 breaking change, {compared} compared"),
            _ => format!("NOT compatible: {breaking} breaking changes, {compared} compared"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}\n")?;
        }
        f.write_str(&self.summary())
    }
}

/// Contracts that are not compatible; a failing test prints why.
#[derive(Clone, PartialEq, Eq)]
pub struct Broken(pub Report);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.summary())
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.0)
    }
}

impl std::error::Error for Broken {}

impl Finding {
    /// The first line: place, severity, rule and what it is about.
    pub fn headline(&self) -> String {
        let word = match self.severity {
            Severity::Breaking => "breaking",
            Severity::Note => "note",
        };
        format!("{}: {word}[{}]: {}", self.place, self.rule.id, self.subject())
    }

    /// What it is about: `shop.orders.v1.OrderPaid.discount`.
    pub fn subject(&self) -> String {
        if self.path.is_empty() { self.event.clone() } else { format!("{}.{}", self.event, self.path) }
    }

    /// The lines below: before, after, who is hurt, and what to do.
    pub fn details(&self) -> Vec<String> {
        let said = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        let mut lines = Vec::new();
        if self.before != self.after {
            lines.push(format!("before: {}", said(&self.before)));
            lines.push(format!("after:  {}", said(&self.after)));
        }
        lines.push(self.rule.catches.to_owned());
        if !self.directions.is_empty() {
            lines.push(self.hurt());
        }
        lines.extend((!self.breaks.is_empty()).then(|| format!("breaks: {}", self.breaks.join(", "))));
        lines.extend((!self.safe_for.is_empty()).then(|| format!("safe for: {}", self.safe_for.join(", "))));
        lines.push(format!("hint: {}", self.rule.hint));
        lines
    }

    fn hurt(&self) -> String {
        let directions = self.directions.iter().map(|direction| direction.words());
        let encodings = self.encodings.iter().map(|encoding| encoding.words()).collect::<Vec<_>>().join(" and ");
        let horizons = self.horizons.iter().map(|horizon| horizon.words()).collect::<Vec<_>>().join(", ");
        let encodings = if encodings.is_empty() { encodings } else { format!(", in {encodings}") };
        format!("{}{encodings}; matters {horizons}", directions.collect::<Vec<_>>().join(", and "))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        self.details().iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Direction {
    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Self::NewReadsOld => "new readers of old data",
            Self::OldReadsNew => "old readers of new data",
        }
    }
}

impl Encoding {
    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "JSON",
        }
    }
}

impl Horizon {
    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Self::InFlight => "in flight",
            Self::DeadLetters => "in dead letters",
            Self::Store => "in stores",
            Self::ForEver => "for ever",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

impl From<&Location> for Place {
    fn from(at: &Location) -> Self {
        Self { file: clean(&at.file), line: at.line, column: at.column }
    }
}
