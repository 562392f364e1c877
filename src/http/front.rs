//! One request on its way to the router, and the answer on its way back: every limit that is about requests.

use std::{
    convert::Infallible,
    future::{Future, ready},
    net::SocketAddr,
    sync::Arc,
    task::{Poll, Waker},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit},
    http::{Extensions, HeaderMap, HeaderValue, Request, StatusCode, Version, header, request},
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, future::Either};
use tower_service::Service;
use tracing::{Instrument, Span};

use super::{
    answer::{Answer, Visit},
    body::{Coming, Metered},
    connection::Line,
    event::Preference,
    handling::{self, Handling, Routed},
    options::Limits,
    page::Page,
    pulse::{Framing, Kind},
    span,
};

/// Answers one request: with HTTP/1 at once, where the handler waits for nothing. The waker is that of the task which
/// will ask for the answer.
///
/// hyper looks whether the client has left before it asks, and takes a new buffer for that while the request has parts of
/// the last one.
pub(super) fn answer<B: Coming>(
    line: Arc<Line>,
    request: Request<B>,
    waker: &Waker,
) -> impl Future<Output = Result<Response<Answer>, Infallible>> + use<B> {
    let span = span::of(&line, &request);
    let entered = span.enter();
    let (parts, body) = request.into_parts();
    let heads = Heads::of(&parts.headers);
    let mut asked = Asked::new(line, &parts, &heads, &span);
    let admitted = match admit(&mut asked.visit, &parts, &heads, &body) {
        Ok(()) => {
            let is_whole = body.is_end_stream();
            let request = dress(parts, body, &asked.visit);
            let mut routed = asked.visit.shared().router.clone().call(request);
            if is_whole && let Poll::Ready(mut answer) = asked.look(&mut routed, waker) {
                let end = asked.judge(&mut answer, End::Keep);
                return Either::Left(ready(Ok(asked.send(answer, end))));
            }
            Ok(Handling::new(routed, asked.visit.shared().limits().handler))
        }
        Err(refusal) => Err(refuse(&asked.visit, &body, refusal)),
    };
    drop(entered);
    Either::Right(Box::pin(asked.wait(admitted).map(Ok).instrument(span)))
}

/// What is known of a request on its way.
struct Asked {
    visit: Visit,
    prefers: Preference,
    page: Option<Box<Page>>,
}

impl Asked {
    fn new(line: Arc<Line>, parts: &request::Parts, heads: &Heads<'_>, span: &Span) -> Self {
        let visit = Visit::begin(line, parts, span);
        let prefers = if heads.accepts { Preference::of(&parts.headers) } else { Preference::default() };
        let page = Page::about(&visit.shared().options, parts);
        Self { visit, prefers, page }
    }

    /// The router's answer, if nobody has to wait for it.
    fn look(&self, routed: &mut Routed, waker: &Waker) -> Poll<Response> {
        if self.page.is_some() || self.visit.kind == Kind::Http2 {
            return Poll::Pending;
        }
        handling::look(routed, waker)
    }

    /// The answer, within all limits.
    async fn wait(mut self, admitted: Result<Handling, Refusal>) -> Response<Answer> {
        let (mut answer, end) = match admitted {
            Ok(handling) => (handling.await, End::Keep),
            Err((status, end)) => (status.into_response(), end),
        };
        let end = self.judge(&mut answer, end);
        if let Some(page) = self.page.take() {
            answer = Box::pin(page.fill(&self.visit.shared().options, answer)).await;
        }
        self.send(answer, end)
    }

    /// Makes an answer the one that the client has: in the form it prefers, unless the body broke a limit.
    fn judge(&self, answer: &mut Response, end: End) -> End {
        self.prefers.apply(answer);
        let Some(status) = self.visit.exchange.meter().refusal() else { return end };
        *answer = status.into_response();
        End::Close
    }

    fn send(mut self, mut answer: Response, end: End) -> Response<Answer> {
        sign(&self.visit, &mut answer, end);
        self.visit.answered(&answer);
        answer.map(|body| Answer::new(body, self.visit))
    }
}

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Keep,
    Close,
}

type Refusal = (StatusCode, End);

/// What the headers of a request are, seen in one look.
#[derive(Default)]
struct Heads<'a> {
    bytes: usize,
    hosts: usize,
    host: Option<&'a HeaderValue>,
    accepts: bool,
}

impl<'a> Heads<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        headers.iter().fold(Self::default(), |seen, (name, value)| {
            let is_host = name == header::HOST;
            Self {
                bytes: seen.bytes + name.as_str().len() + value.len(),
                hosts: seen.hosts + usize::from(is_host),
                host: if is_host { Some(value) } else { seen.host },
                accepts: seen.accepts || name == header::ACCEPT,
            }
        })
    }
}

/// Lets a request in, unless it breaks a rule or there is no room.
fn admit(visit: &mut Visit, parts: &request::Parts, heads: &Heads<'_>, body: &impl Coming) -> Result<(), Refusal> {
    let shared = visit.shared();
    check_framing(visit, parts, heads)?;
    check_size(shared.limits(), parts, heads)?;
    if shared.is_draining() {
        return Err((StatusCode::SERVICE_UNAVAILABLE, End::Close));
    }
    if body.size_hint().lower() > shared.limits().body {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, End::Close));
    }
    if visit.take_slot() { Ok(()) } else { Err((StatusCode::SERVICE_UNAVAILABLE, End::Keep)) }
}

/// Nobody will read the body of a request that is not let in.
fn refuse(visit: &Visit, body: &impl Coming, refusal: Refusal) -> Refusal {
    if !body.is_end_stream() {
        visit.pulse().leave_unread();
    }
    refusal
}

/// One way to read where the request ends, and one host.
fn check_framing(visit: &Visit, parts: &request::Parts, heads: &Heads<'_>) -> Result<(), Refusal> {
    match visit.framing {
        // Asked within this process.
        Framing::None if parts.version != Version::HTTP_2 => Ok(()),
        Framing::Clear | Framing::None if has_one_host(parts, heads) => Ok(()),
        _ => Err((StatusCode::BAD_REQUEST, End::Close)),
    }
}

/// Is one host asked, whoever reads the head (RFC 9112, 3.2; RFC 9113, 8.3.1), and nothing but a host?
fn has_one_host(parts: &request::Parts, heads: &Heads<'_>) -> bool {
    let host = heads.host.map(HeaderValue::as_bytes);
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let agree = match (authority.filter(|_| parts.version == Version::HTTP_2), host) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        (None, None) => parts.version == Version::HTTP_10,
        _ => true,
    };
    heads.hosts <= 1 && agree && host.into_iter().chain(authority).flatten().all(|byte| is_of_host(*byte))
}

/// Can it stand in a host and its port (RFC 3986, 3.2.2 and 3.2.3)?
fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
}

fn check_size(limits: &Limits, parts: &request::Parts, heads: &Heads<'_>) -> Result<(), Refusal> {
    let target = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    if target > limits.uri {
        return Err((StatusCode::URI_TOO_LONG, End::Close));
    }
    if heads.bytes > limits.header_bytes || parts.headers.len() > limits.headers {
        return Err((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, End::Close));
    }
    Ok(())
}

/// What every request of a connection has with it, and room for what comes with each: a map that has to grow costs more
/// than a copy of one.
pub(super) fn extensions(peer: SocketAddr, limits: &Limits) -> Extensions {
    let mut request = Request::new(());
    // What comes over the line is metered, whoever reads it; this one is met by what a layer has made of it. A route's own
    // takes its place.
    let body = usize::try_from(limits.body).unwrap_or(usize::MAX);
    DefaultBodyLimit::max(limits.decoded_body.max(body)).apply(&mut request);
    let mut extensions = std::mem::take(request.extensions_mut());
    extensions.insert(ConnectInfo(peer));
    extensions.insert(Room::<0>);
    extensions.insert(Room::<1>);
    extensions.remove::<Room<0>>();
    extensions.remove::<Room<1>>();
    extensions
}

/// A place that is kept.
#[derive(Clone)]
struct Room<const PLACE: usize>;

/// The request as the router gets it.
fn dress(mut parts: request::Parts, body: impl Coming, visit: &Visit) -> Request<Body> {
    let theirs = std::mem::replace(&mut parts.extensions, visit.exchange.line().extensions.clone());
    parts.extensions.insert(visit.exchange.clone());
    parts.extensions.extend(theirs);
    let body = match body.is_end_stream() {
        true => Body::empty(),
        false => Body::new(Metered::new(body, visit.exchange.clone())),
    };
    Request::from_parts(parts, body)
}

/// Adds the headers that every answer has.
fn sign(visit: &Visit, answer: &mut Response, end: End) {
    let unavailable = answer.status() == StatusCode::SERVICE_UNAVAILABLE;
    let closes = end == End::Close || visit.is_last || visit.shared().is_draining();
    let headers = answer.headers_mut();
    if let Some(server) = &visit.shared().options.server {
        headers.entry(header::SERVER).or_insert_with(|| server.clone());
    }
    if unavailable {
        headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
    }
    if closes && visit.kind == Kind::Http1 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}
