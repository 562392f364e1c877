//! What observers are told of a request.

use std::task::{Context, Poll};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode, request},
};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use super::{access::LEFT, exchange::Exchange, server::Shared};
use crate::{
    publisher::Trace,
    telemetry::{Answered, Asked, Fact},
};

/// A request under way.
pub(super) struct Observed {
    begun: Instant,
    method: &'static str,
    trace: Trace,
    status: u16,
}

impl Observed {
    /// None, if nobody looks, or is not to look at this path.
    pub(super) fn begin(shared: &Shared, parts: &request::Parts) -> Option<Box<Self>> {
        let observers = &shared.parts.observers;
        if !observers.any() || shared.options.unobserved.has(parts.uri.path()) {
            return None;
        }
        let (method, scheme) = (known(&parts.method), shared.scheme());
        observers.tell(&Fact::Asked(Asked { method, scheme }));
        let trace = Trace::read(|name| parts.headers.get(name)?.to_str().ok());
        Some(Box::new(Self { begun: shared.parts.clock.instant(), method, trace, status: LEFT }))
    }

    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    /// The request is over; one whose answer is not complete was left by its client.
    pub(super) fn end(self, exchange: &Exchange, complete: bool) {
        let shared = exchange.shared();
        shared.parts.observers.tell(&Fact::Answered(Answered {
            method: self.method,
            scheme: shared.scheme(),
            route: exchange.route().map(MatchedPath::as_str),
            status: if complete { self.status } else { LEFT },
            took: shared.parts.clock.instant().saturating_duration_since(self.begun),
            trace: self.trace.id(),
        }));
    }
}

/// Notes which route answers a request.
#[derive(Clone)]
pub(super) struct NoteRoute;

impl<S> Layer<S> for NoteRoute {
    type Service = Noting<S>;

    fn layer(&self, inner: S) -> Noting<S> {
        Noting(inner)
    }
}

/// A route that is noted.
#[derive(Clone)]
pub(super) struct Noting<S>(S);

impl<S: Service<Request>> Service<Request> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        let extensions = request.extensions();
        if let (Some(exchange), Some(route)) = (extensions.get::<Exchange>(), extensions.get::<MatchedPath>()) {
            exchange.note_route(&request, route.clone());
        }
        self.0.call(request)
    }
}

/// The methods that there are; a client may make up any other.
pub(super) fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}
