//! What every log line of a run has: a span around it, which is also the begin of a trace.

use tracing::{Span, field::Empty};

use super::{run::Shift, runner::shown};
use crate::telemetry::spans::{self, About, Kind};

/// The span of this run. It is of the highest level: a log of errors alone has it too.
pub(super) fn of(shift: &Shift) -> Span {
    if !spans::are_wanted() {
        return Span::none();
    }
    let (schedule, planned) = (&*shift.job.name, &*shown(shift.planned, shift.job.plan.zone()));
    let span = tracing::error_span!(
        "run",
        schedule,
        planned,
        correlation_id = %shift.correlation_id,
        trace_id = Empty,
        otel.name = Empty,
        otel.kind = Empty,
    );
    let attributes = [("tegami.schedule", Some(schedule)), ("tegami.planned", Some(planned))];
    let name = format_args!("{schedule}");
    spans::begin(&span, About { name, kind: Kind::Internal, parent: None, attributes: &attributes });
    span
}
