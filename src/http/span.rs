//! What every log line of a request has: a span around its way to the router and back.

use axum::http::Request;
use tracing::{Span, field::Empty};

use super::exchange::CORRELATION;
use crate::{envelope::MessageId, publisher::Trace};

/// The span of this request. It is of the highest level: a log of errors alone has it too.
pub(super) fn of<B>(request: &Request<B>) -> Span {
    let span = tracing::error_span!(
        target: "tegami::http",
        "request",
        request_method = request.method().as_str(),
        request_path = request.uri().path(),
        correlation_id = Empty,
        trace_id = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(id) = CORRELATION.iter().find_map(|name| text(name).and_then(MessageId::parse)) {
        span.record("correlation_id", tracing::field::display(id));
    }
    if let Some(id) = Trace::read(text).id() {
        span.record("trace_id", id);
    }
    span
}
