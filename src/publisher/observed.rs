//! What observers are told of a publish.

use tokio::time::Instant;

use super::{Line, Trace};
use crate::{
    event::Event,
    telemetry::{Fact, Published},
    transport::{PublishError, PublishErrorKind},
};

/// A publish that is under way.
pub(super) struct Observed {
    line: Line,
    system: &'static str,
    begun: Instant,
}

impl Line {
    /// A publish begins; none, if nobody looks.
    pub(super) fn observed(&self, via: &Option<String>) -> Option<Observed> {
        let system = self.ways.get(via).map_or("", |way| way.system);
        self.observers.any().then(|| Observed { line: self.clone(), system, begun: self.clock.instant() })
    }
}

impl Observed {
    /// It was answered.
    pub(super) fn answered<E: Event>(self, error: Option<&PublishError>, trace: Option<Trace>) {
        self.answered_for((E::CONTRACT.name, E::CONTRACT.topic), error, trace);
    }

    /// It was answered, for an event of this name and topic.
    pub(super) fn answered_for(self, (event, topic): (&str, &str), error: Option<&PublishError>, trace: Option<Trace>) {
        let Self { line, system, begun } = self;
        line.observers.tell(&Fact::Published(Published {
            system,
            event,
            topic,
            took: line.clock.instant().saturating_duration_since(begun),
            error: error.map(|error| name_of(error.kind())),
            trace: trace.as_ref().and_then(Trace::id),
        }));
    }
}

/// What figures and spans call this kind.
pub(super) fn name_of(kind: PublishErrorKind) -> &'static str {
    match kind {
        PublishErrorKind::Invalid => "invalid",
        PublishErrorKind::Undeclared => "undeclared",
        PublishErrorKind::Unroutable => "unroutable",
        PublishErrorKind::TooLarge => "too-large",
        PublishErrorKind::Backpressure => "backpressure",
        PublishErrorKind::Refused => "refused",
        PublishErrorKind::Unreachable => "unreachable",
        PublishErrorKind::Unsupported => "unsupported",
        PublishErrorKind::Closed => "closed",
        PublishErrorKind::Unknown => "unknown",
    }
}
