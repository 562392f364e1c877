//! What a request's extractors find: who asks, and what its publishes carry on.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, StatusCode},
};
use tracing::{Span, field::display};

use super::{body::Meter, connection::Line, observed::known, quiet::Quiet, server::Shared};
use crate::{
    envelope::MessageId,
    publisher::{Publisher, Trace},
    telemetry::spans,
};

/// Headers that may name the conversation a request belongs to, the first one first.
pub(super) const CORRELATION: [&str; 2] = ["x-correlation-id", "x-request-id"];

/// One request and its answer, as extractors see it.
#[derive(Clone)]
pub(super) struct Exchange(Arc<Facts>);

struct Facts {
    line: Arc<Line>,
    client: IpAddr,
    meter: Meter,
    publisher: OnceLock<Publisher>,
    /// What answers it, once that is found and where somebody may ask for it.
    route: OnceLock<MatchedPath>,
    /// What the log leaves out, once a route has said so.
    quiet: OnceLock<Quiet>,
    span: Span,
}

impl Exchange {
    pub(super) fn new(line: Arc<Line>, client: IpAddr, span: Span) -> Self {
        let (publisher, route, quiet) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self(Arc::new(Facts { line, client, meter: Meter::default(), publisher, route, quiet, span }))
    }

    /// Its connection.
    pub(super) fn line(&self) -> &Line {
        &self.0.line
    }

    /// What the server knows.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.line.shared
    }

    /// What is known of the request's body.
    pub(super) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Whom the request is from.
    pub(super) fn client(&self) -> IpAddr {
        self.0.client
    }

    /// It is answered by this route.
    pub(super) fn note_route(&self, request: &Request, route: MatchedPath) {
        spans::route(&self.0.span, known(request.method()), route.as_str());
        let _ = self.0.route.set(route);
    }

    /// What answers it, if that was noted.
    pub(super) fn route(&self) -> Option<&MatchedPath> {
        self.0.route.get()
    }

    /// A route says what the log leaves out. Of several, the first one's wish counts, which is that of the outermost.
    pub(super) fn note_quiet(&self, quiet: &Quiet) {
        let _ = self.0.quiet.set(quiet.clone());
    }

    /// What the log leaves out, if a route has said so.
    pub(super) fn quiet(&self) -> Option<&Quiet> {
        self.0.quiet.get()
    }

    /// It is answered, with this status.
    pub(super) fn answered(&self, status: StatusCode) {
        spans::answer(&self.0.span, status.as_u16());
    }

    /// The service's publisher; all that one request publishes is one conversation.
    pub(super) fn publisher(&self, headers: &HeaderMap) -> Publisher {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let make = || {
            let told = CORRELATION.iter().find_map(|name| text(name).and_then(MessageId::parse));
            let correlation = told.unwrap_or_else(|| self.draw());
            self.shared().parts.publisher.asked_by(correlation, Trace::read(text))
        };
        self.0.publisher.get_or_init(make).clone()
    }

    /// A conversation of its own, which the lines of the request tell from now on.
    fn draw(&self) -> MessageId {
        let drawn = MessageId::draw(&self.shared().parts.dice);
        self.0.span.record("correlation_id", display(&drawn));
        drawn
    }
}
