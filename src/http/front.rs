//! One request on its way to the router, and the answer on its way back: every limit that is about requests.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit},
    http::{HeaderValue, Request, StatusCode, Version, header, request},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tokio::sync::SemaphorePermit;
use tower_service::Service;

use super::{
    answer::{Answer, Visit},
    body::{Coming, Metered},
    connection::Line,
    event,
    exchange::Exchange,
    gate::Verdict,
    options::Limits,
    page::Page,
    pulse::Kind,
    server::Shared,
};
use crate::error::panic_text;

/// Answers one request.
pub(super) async fn answer(
    shared: Arc<Shared>,
    line: Arc<Line>,
    request: Request<impl Coming>,
) -> Result<Response<Answer>, Infallible> {
    let (parts, body) = request.into_parts();
    let mut visit = Visit::begin(shared, line, &parts);
    let prefers = event::Preference::of(&parts.headers);
    let page = Page::about(&visit.shared.options, &parts);
    let (answer, end) = match admit(&visit, &parts, &body) {
        Ok(permit) => (handle(&visit.shared, dress(parts, body, &visit), permit).await, End::Keep),
        Err(refusal) => refuse(&visit, &body, refusal),
    };
    let (answer, end) = match visit.meter.refusal() {
        Some(status) => (status.into_response(), End::Close),
        None => (prefers.apply(answer), end),
    };
    let answer = match page {
        Some(page) => page.fill(&visit.shared.options, answer).await,
        None => answer,
    };
    let answer = sign(&visit, answer, end);
    visit.answered(&answer);
    Ok(answer.map(|body| Answer::new(body, visit)))
}

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Keep,
    Close,
}

type Refusal = (StatusCode, End);

/// Lets a request in, unless it breaks a rule or there is no room.
fn admit<'a>(visit: &'a Visit, parts: &request::Parts, body: &impl Coming) -> Result<SemaphorePermit<'a>, Refusal> {
    if parts.version != Version::HTTP_2 {
        check_framing(&visit.line, parts)?;
    }
    let shared = &visit.shared;
    check_size(shared.limits(), parts)?;
    if shared.is_draining() {
        return Err((StatusCode::SERVICE_UNAVAILABLE, End::Close));
    }
    if body.size_hint().lower() > shared.limits().body {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, End::Close));
    }
    shared.slots.try_acquire().map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, End::Keep))
}

/// The answer to one that is not let in; nobody will read its body.
fn refuse(visit: &Visit, body: &impl Coming, (status, end): Refusal) -> (Response, End) {
    if !body.is_end_stream() {
        visit.line.pulse.leave_unread();
    }
    (status.into_response(), end)
}

/// One way to read where the request ends, and one host.
fn check_framing(line: &Line, parts: &request::Parts) -> Result<(), Refusal> {
    let Some(gate) = &line.gate else { return Ok(()) };
    let hosts = parts.headers.get_all(header::HOST).iter().count();
    let hosts_fit = hosts == 1 || (hosts == 0 && parts.version == Version::HTTP_10);
    match gate.verdict() {
        Verdict::Clear if hosts_fit => Ok(()),
        _ => Err((StatusCode::BAD_REQUEST, End::Close)),
    }
}

fn check_size(limits: &Limits, parts: &request::Parts) -> Result<(), Refusal> {
    let target = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    if target > limits.uri {
        return Err((StatusCode::URI_TOO_LONG, End::Close));
    }
    let bytes: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > limits.header_bytes || parts.headers.len() > limits.headers {
        return Err((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, End::Close));
    }
    Ok(())
}

/// The request as the router gets it.
fn dress(mut parts: request::Parts, body: impl Coming, visit: &Visit) -> Request<Body> {
    let (shared, line) = (&visit.shared, &visit.line);
    parts.extensions.insert(ConnectInfo(line.peer));
    parts.extensions.insert(Exchange::new(shared.clone(), visit.client));
    if body.is_end_stream() {
        return Request::from_parts(parts, Body::empty());
    }
    let metered = Metered::new(body, visit.meter.clone(), line.clone(), shared.parts.clock, shared.limits());
    let mut request = Request::from_parts(parts, Body::new(metered));
    // The body's limit is ours, and holds for whoever reads it. A route's own stays as it is.
    DefaultBodyLimit::disable().apply(&mut request);
    request
}

/// The router's answer, in its time; a panic is answered without its text.
async fn handle(shared: &Shared, request: Request<Body>, _permit: SemaphorePermit<'_>) -> Response {
    let mut router = shared.router.clone();
    let routed = AssertUnwindSafe(async move { router.call(request).await }).catch_unwind();
    match tokio::time::timeout(shared.limits().handler, routed).await {
        Ok(Ok(Ok(answer))) => answer,
        Ok(Err(panic)) => {
            tracing::error!(target: "tegami::http", error = panic_text(&*panic), "a handler panicked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => {
            tracing::warn!(target: "tegami::http", limit = ?shared.limits().handler, "a handler was not done in time");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The answer with the headers that every answer has.
fn sign(visit: &Visit, mut answer: Response, end: End) -> Response {
    let unavailable = answer.status() == StatusCode::SERVICE_UNAVAILABLE;
    let closes = end == End::Close || visit.is_last || visit.shared.is_draining();
    let headers = answer.headers_mut();
    if let Some(server) = &visit.shared.options.server {
        headers.entry(header::SERVER).or_insert_with(|| server.clone());
    }
    if unavailable {
        headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
    }
    if closes && visit.kind == Kind::Http1 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}
