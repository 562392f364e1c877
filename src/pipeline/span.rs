//! What every log line of a delivery has: a span around all that happens to it.

use tracing::{
    Span,
    field::{Empty, display},
};

use super::Route;
use crate::{envelope::Head, publisher::Trace, transport::Delivery};

/// The span of a delivery that nobody has opened yet. It is of the highest level: a log of errors alone has it too.
pub(super) fn of(queue: &str, delivery: &Delivery) -> Span {
    tracing::error_span!(
        "delivery",
        handler = Empty,
        queue,
        event = Empty,
        message_id = Empty,
        attempt = delivery.attempt,
        correlation_id = Empty,
        trace_id = Empty,
    )
}

/// Adds what is known once it is opened.
pub(super) fn tell(delivery: &Delivery, route: &Route, head: &Head) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    span.record("handler", &*route.name).record("event", route.contract.name);
    let id = head.id.as_ref().or(delivery.id.as_ref());
    if let Some(id) = id {
        span.record("message_id", display(id));
    }
    if let Some(id) = head.correlation_id.as_ref().or(id) {
        span.record("correlation_id", display(id));
    }
    if let Some(id) = Trace::read(|name| head.attributes.text(name)).id() {
        span.record("trace_id", id);
    }
}
