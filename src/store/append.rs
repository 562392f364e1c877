//! What a store is asked to record, on which condition, and what it answers.

use std::fmt;

use super::{Conflict, Entry, Position, Query, Recorded, StoreError, StoreErrorKind, StreamId, Version, set::EventSet};
use crate::{
    envelope::{Head, MessageId},
    event::Attributes,
};

/// Where a stream must be for an append to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expected {
    /// Anywhere.
    #[default]
    Any,
    /// It has no events yet.
    None,
    /// At this version.
    Exactly(Version),
}

impl Expected {
    /// Is a stream at this version where it must be?
    pub fn holds(self, found: Version) -> bool {
        match self {
            Self::Any => true,
            Self::None => found == Version::START,
            Self::Exactly(version) => found == version,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any version"),
            Self::None => f.write_str("no events"),
            Self::Exactly(version) => write!(f, "version {version}"),
        }
    }
}

/// Refuses an append if an event that matches the query was recorded after the position.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unless {
    /// What was read.
    pub query: Query,
    /// Up to where.
    pub after: Position,
    /// Where events are that were read all the same, as [`EventStore::read_ahead`](super::EventStore::read_ahead) shows
    /// them: they refuse nothing.
    pub known: Vec<Position>,
}

/// Events to be recorded in one stream: all of them or none.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::orders::v1::OrderPaid;
/// use tegami::store::{Append, Expected, StreamId};
///
/// # fn example() -> Result<(), tegami::store::StoreError> {
/// let paid = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build();
/// let append = Append::to(StreamId::of("order", "o-1")?).expecting(Expected::None).event(&paid)?;
/// # assert_eq!(append.entries[0].tags().len(), 3);
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Append {
    /// The stream.
    pub stream: StreamId,
    /// Where the stream must be.
    pub expected: Expected,
    /// What must not have been recorded meanwhile.
    pub unless: Option<Unless>,
    /// The events, in order.
    pub entries: Vec<Entry>,
    /// What led to them.
    pub(super) cause: Head,
}

impl Append {
    /// An append of nothing yet, to this stream, wherever it is.
    pub fn to(stream: StreamId) -> Self {
        Self { stream, expected: Expected::Any, unless: None, entries: Vec::new(), cause: Head::new() }
    }

    /// Only if the stream is there.
    #[must_use]
    pub fn expecting(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    /// Only if nothing that matches the query was recorded after this position.
    #[must_use]
    pub fn unless(self, query: impl Into<Query>, after: Position) -> Self {
        Self { unless: Some(Unless { query: query.into(), after, known: Vec::new() }), ..self }
    }

    /// Those at these positions were read too, though they are later.
    pub(super) fn knowing(mut self, known: Vec<Position>) -> Self {
        self.unless = self.unless.map(|unless| Unless { known, ..unless });
        self
    }

    /// This event too, or one of a set.
    ///
    /// # Errors
    /// `Invalid`: the event breaks its contract.
    pub fn event<E: EventSet>(self, event: &E) -> Result<Self, StoreError> {
        Ok(self.entry(event.entry()?))
    }

    /// This entry too.
    #[must_use]
    pub fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// The conversation that all its events belong to.
    #[must_use]
    pub fn correlation_id(mut self, id: MessageId) -> Self {
        self.cause.correlation_id = Some(id);
        self
    }

    /// The message that caused all its events.
    #[must_use]
    pub fn causation_id(mut self, id: MessageId) -> Self {
        self.cause.causation_id = Some(id);
        self
    }

    /// All its events were caused by the message with this head: they belong to its conversation and its trace.
    #[must_use]
    pub fn caused_by(mut self, head: &Head) -> Self {
        self.cause.causation_id = head.id.clone();
        self.cause.correlation_id = head.correlation_id.clone().or_else(|| head.id.clone());
        self.cause.attributes = Attributes::new();
        for name in super::entry::TRACE {
            if let Some(text) = head.attributes.text(name) {
                self.cause.attributes.set(name, text);
            }
        }
        self
    }
}

/// Where the events of an append are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// The position of the last one.
    pub position: Position,
    /// The version of the last one: where the stream is now.
    pub version: Version,
}

impl Appended {
    /// The last event is there.
    pub fn new(position: Position, version: Version) -> Self {
        Self { position, version }
    }
}

/// The error for an append that others were faster than.
pub(super) fn conflict(stream: &StreamId, conflict: Conflict) -> StoreError {
    let text = match conflict {
        Conflict::Version { expected, found } => {
            format!("stream `{stream}` is at version {found}, expected {expected}")
        }
        Conflict::Query { found } => {
            format!("the append to stream `{stream}` was decided without the event at position {found}")
        }
    };
    StoreError::new(StoreErrorKind::Conflict(conflict), text)
}

/// What the append was answered before, given where each of its events is already, if anywhere.
///
/// # Errors
/// `Duplicate`: some of the events are recorded, or not as this append would have them.
pub(super) fn again(append: &Append, known: &[Option<&Recorded>]) -> Result<Option<Appended>, StoreError> {
    let Some(first) = known.iter().flatten().next() else { return Ok(None) };
    let places: Vec<_> = known.iter().flatten().map(|recorded| (&recorded.stream, recorded.version)).collect();
    let begin = places.first().map_or(Version::START, |(_, version)| *version);
    let in_order =
        places.iter().zip(0..).all(|((stream, version), n)| **stream == append.stream && *version == begin.later(n));
    if let Some(Some(last)) = known.last().filter(|_| in_order && places.len() == known.len()) {
        return Ok(Some(Appended::new(last.position, last.version)));
    }
    let id = first.entry.message.head.id.as_ref().map_or("", MessageId::as_str);
    let text = format!(
        "the append to stream `{}` has message `{id}`, which is version {} of stream `{}` already",
        append.stream, first.version, first.stream
    );
    Err(StoreError::new(StoreErrorKind::Duplicate, text))
}
