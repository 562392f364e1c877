//! OpenTelemetry's side of a span.

use std::collections::HashMap;

use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::{Status, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{About, Context, Kind, Told};

/// May somebody be told?
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there are no requests"))]
pub(crate) const LISTENS: bool = true;

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";
/// The field of a span that names its trace in the log.
const TRACE: &str = "trace_id";

/// Tells what this span is, before it is entered. Where there is no layer of OpenTelemetry's, nobody listens.
pub(crate) fn begin(span: &Span, about: About<'_>) {
    if span.is_disabled() {
        return;
    }
    if let Some(parent) = about.parent {
        let _ = span.set_parent(TraceContextPropagator::new().extract(parent));
    }
    span.record("otel.name", about.name.to_string()).record("otel.kind", about.kind.as_str());
    for (name, value) in about.attributes {
        if let Some(value) = value {
            span.set_attribute(*name, (*value).to_owned());
        }
    }
    if about.parent.is_none() && span.has_field(TRACE) {
        tell_trace(span);
    }
}

/// Has the log know a trace that begins here.
fn tell_trace(span: &Span) {
    let here = span.context();
    let here = here.span().span_context().clone();
    if here.is_valid() {
        span.record(TRACE, here.trace_id().to_string());
    }
}

/// Tells more of it; what, is looked up only where there is a span.
pub(crate) fn tell<I>(span: &Span, attributes: impl FnOnce() -> I)
where
    I: IntoIterator<Item = (&'static str, Option<Told>)>,
{
    if span.is_disabled() {
        return;
    }
    for (name, value) in attributes() {
        match value {
            Some(Told::Text(text)) => span.set_attribute(name, text),
            Some(Told::Number(number)) => span.set_attribute(name, number),
            None => {}
        }
    }
}

/// Where this span is in its trace, for whoever it causes; none, if it is in none.
pub(crate) fn context(span: &Span) -> Option<Context> {
    let here = span.context();
    if !here.span().span_context().is_valid() {
        return None;
    }
    let mut told = HashMap::new();
    TraceContextPropagator::new().inject_context(&here, &mut told);
    let state = told.remove(STATE).filter(|state| !state.is_empty());
    Some(Context { parent: told.remove(PARENT)?, state })
}

/// A request will be answered by this route.
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there are no requests"))]
pub(crate) fn route(span: &Span, method: &str, route: &str) {
    if span.is_disabled() {
        return;
    }
    span.set_attribute("http.route", route.to_owned());
    span.context().span().update_name(format!("{method} {route}"));
}

/// A request was answered, with this status. A server's own mistake is an error.
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there are no requests"))]
pub(crate) fn answer(span: &Span, status: u16) {
    if span.is_disabled() {
        return;
    }
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        fail(span, &status.to_string(), "");
    }
}

/// It did not go well: an error of this kind, with what is to be said of it.
pub(crate) fn fail(span: &Span, kind: &str, why: &str) {
    span.set_attribute("error.type", kind.to_owned());
    span.set_status(Status::error(why.to_owned()));
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::Internal => "internal",
            Self::Server => "server",
        }
    }
}

impl Extractor for Context {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            PARENT => Some(&self.parent),
            STATE => self.state.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT, STATE]
    }
}
