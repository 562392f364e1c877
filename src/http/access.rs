//! The access log: a line for each answer, as an event on the target `tegami::http`.

use std::{net::IpAddr, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version, header, request},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http_body::Body;
use tokio::time::Instant;
use tracing::Span;

use super::{exchange::Exchange, quiet::Quiet, websocket::Story};
use crate::time::Clock;

/// What a client that left before its answer is logged with.
pub(super) const LEFT: u16 = 499;

/// One line in the making.
pub(super) struct Entry {
    about: About,
    method: Method,
    version: Version,
    length: Option<u64>,
    answered: Option<Answered>,
}

/// Who asked for what, and when.
#[derive(Clone)]
pub(super) struct About {
    pub(super) client: IpAddr,
    pub(super) uri: Uri,
    pub(super) agent: Option<String>,
    pub(super) user: Option<String>,
    pub(super) span: Span,
    clock: Clock,
    begun: Instant,
}

impl About {
    /// The query, if there is one.
    pub(super) fn query(&self) -> Option<&str> {
        self.uri.query().filter(|query| !query.is_empty())
    }

    /// The time since the request's head.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.instant().saturating_duration_since(self.begun)
    }
}

struct Answered {
    status: StatusCode,
    length: Option<u64>,
    elapsed: Duration,
    quiet: Option<Quiet>,
    socket: Option<Story>,
}

impl Entry {
    /// A line for this request, if anybody reads it.
    pub(super) fn begin(parts: &request::Parts, client: IpAddr, clock: Clock, span: &Span) -> Option<Box<Self>> {
        let about = || About {
            client,
            uri: parts.uri.clone(),
            agent: text(&parts.headers, header::USER_AGENT).map(str::to_owned),
            user: user(&parts.headers),
            span: span.clone(),
            clock,
            begun: clock.instant(),
        };
        let begin = || Self {
            about: about(),
            method: parts.method.clone(),
            version: parts.version,
            length: length(&parts.headers),
            answered: None,
        };
        tracing::enabled!(target: "tegami::http", tracing::Level::INFO).then(|| Box::new(begin()))
    }

    pub(super) fn answered(&mut self, answer: &Response) {
        let (status, extensions) = (answer.status(), answer.extensions());
        let quiet = extensions.get::<Quiet>().cloned();
        let is_quiet = quiet.as_ref().is_some_and(|quiet| quiet.is_about(status.as_u16(), Some(status)));
        let socket = extensions.get::<Story>().filter(|_| status == StatusCode::SWITCHING_PROTOCOLS && !is_quiet);
        if let Some(story) = socket {
            story.begin(&self.about);
        }
        self.answered = Some(Answered {
            status,
            length: answer.body().size_hint().exact().or_else(|| length(answer.headers())),
            elapsed: self.about.elapsed(),
            quiet,
            socket: socket.cloned(),
        });
    }

    /// Is a line with this status left out? An answer says so itself; a client that left before there was one had a route.
    fn is_quiet(&self, told: u16, exchange: &Exchange) -> bool {
        let answered = self.answered.as_ref();
        let quiet = answered.map_or_else(|| exchange.quiet(), |answered| answered.quiet.as_ref());
        quiet.is_some_and(|quiet| quiet.is_about(told, answered.map(|answered| answered.status)))
    }

    /// Writes the line; one that is not complete says that the client left.
    pub(super) fn write(&self, complete: bool, exchange: &Exchange) {
        let answered = self.answered.as_ref();
        let answer = answered.map(|answered| answered.status.as_u16());
        let status = answer.filter(|_| complete).unwrap_or(LEFT);
        if self.is_quiet(status, exchange) {
            return;
        }
        if let Some(story) = answered.and_then(|answered| answered.socket.as_ref()) {
            return story.opened();
        }
        let (about, read) = (&self.about, exchange.meter().bytes());
        let length = answered.and_then(|answered| answered.length);
        tracing::info!(
            target: "tegami::http",
            parent: &about.span,
            status_code = status,
            replaced_status_code = answer.filter(|_| !complete),
            remote_ip = %about.client,
            auth_user = about.user.as_deref(),
            request_method = self.method.as_str(),
            request_path = about.uri.path(),
            request_query_string = about.query(),
            http_version = ?self.version,
            response_content_length = length.filter(|_| complete),
            replaced_response_content_length = length.filter(|_| !complete),
            request_content_length = self.length,
            request_content_read_length = (read > 0).then_some(read),
            user_agent = about.agent.as_deref(),
            handler_elapsed_time = answered.map(|answered| seconds(answered.elapsed)),
            request_time = seconds(about.elapsed()),
        );
    }
}

pub(super) fn seconds(time: Duration) -> String {
    format!("{:.5}s", time.as_secs_f64())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    text(headers, header::CONTENT_LENGTH)?.parse().ok()
}

/// The name of `Authorization: Basic`, made fit for a log; never its password.
fn user(headers: &HeaderMap) -> Option<String> {
    let (scheme, told) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(told.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let pair = String::from_utf8(decoded).ok()?;
    let (name, _) = pair.split_once(':')?;
    Some(name.chars().take(128).collect::<String>().escape_debug().to_string())
}
