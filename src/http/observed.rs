//! What observers are told of a request.

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, request},
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;

use super::{access::LEFT, server::Shared};
use crate::{
    publisher::Trace,
    telemetry::{Answered, Fact},
};

/// A request under way.
pub(super) struct Observed {
    begun: Instant,
    method: &'static str,
    trace: Trace,
    route: Option<MatchedPath>,
    status: u16,
}

impl Observed {
    /// None, if nobody looks.
    pub(super) fn begin(shared: &Shared, parts: &request::Parts) -> Option<Self> {
        shared.parts.observers.any().then(|| Self {
            begun: shared.parts.clock.instant(),
            method: known(&parts.method),
            trace: Trace::read(|name| parts.headers.get(name)?.to_str().ok()),
            route: None,
            status: LEFT,
        })
    }

    pub(super) fn answered(&mut self, answer: &Response) {
        self.route = answer.extensions().get().cloned();
        self.status = answer.status().as_u16();
    }

    /// The request is over; one whose answer is not complete was left by its client.
    pub(super) fn end(self, shared: &Shared, complete: bool) {
        shared.parts.observers.tell(&Fact::Answered(Answered {
            method: self.method,
            route: self.route.as_ref().map(MatchedPath::as_str),
            status: if complete { self.status } else { LEFT },
            took: shared.parts.clock.instant().saturating_duration_since(self.begun),
            trace: self.trace.id(),
        }));
    }
}

/// Notes on an answer which route it is from.
pub(super) async fn note_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut answer = next.run(request).await;
    if let Some(route) = route {
        answer.extensions_mut().insert(route);
    }
    answer
}

/// The methods that there are; a client may make up any other.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}
