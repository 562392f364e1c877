//! What every log line of a request has: a span around its way to the router and back, which is also its part of a trace.

use std::cell::LazyCell;

use axum::http::{Request, Version, header, uri::Authority};
use tracing::{Span, field::Empty};

use super::{connection::Line, exchange::CORRELATION, observed::known};
use crate::{
    envelope::MessageId,
    publisher::Trace,
    telemetry::spans::{self, About, Kind, Told},
};

/// The span of this request; none where nobody listens, or its path is not observed. It is of the highest level: a log of errors alone has
/// it too.
pub(super) fn of<B>(line: &Line, request: &Request<B>) -> Span {
    if !spans::are_wanted() || line.shared.options.unobserved.has(request.uri().path()) {
        return Span::none();
    }
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let trace = LazyCell::new(|| Trace::read(text));
    let span = tracing::error_span!(
        target: "tegami::http",
        "request",
        request_method = request.method().as_str(),
        request_path = request.uri().path(),
        correlation_id = CORRELATION.iter().find_map(|name| text(name).and_then(MessageId::parse)).map(display),
        trace_id = trace.id(),
        otel.name = Empty,
        otel.kind = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let (method, path) = (known(request.method()), request.uri().path());
    let attributes = [
        ("http.request.method", Some(method)),
        ("url.path", Some(path)),
        ("url.scheme", Some(line.shared.scheme())),
        ("network.protocol.version", version(request.version())),
    ];
    let (name, parent) = (format_args!("{method}"), trace.context());
    spans::begin(&span, About { name, kind: Kind::Server, parent, attributes: &attributes });
    spans::tell(&span, || between(line, request));
    span
}

/// Who asks whom.
fn between<B>(line: &Line, request: &Request<B>) -> [(&'static str, Option<Told>); 4] {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let told = text(header::HOST).and_then(|host| host.parse::<Authority>().ok());
    let host = told.as_ref().or(request.uri().authority());
    let client = line.shared.proxies.client(line.peer.ip().to_canonical(), request.headers());
    [
        ("server.address", host.map(|host| Told::Text(host.host().trim_matches(['[', ']']).to_owned()))),
        ("server.port", host.and_then(Authority::port_u16).map(|port| Told::Number(port.into()))),
        ("client.address", Some(Told::Text(client.to_string()))),
        ("user_agent.original", text(header::USER_AGENT).map(|agent| Told::Text(agent.to_owned()))),
    ]
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
}
