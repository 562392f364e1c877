//! A request from its head to the last byte of its answer: what is counted and logged of it.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{StatusCode, Version, request},
    response::Response,
};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use super::{access::Entry, body::Meter, connection::Line, observed::Observed, pulse::Kind, server::Shared};

/// One request under way; dropped, it is over.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) line: Arc<Line>,
    pub(super) meter: Arc<Meter>,
    /// Whom it is from.
    pub(super) client: IpAddr,
    pub(super) kind: Kind,
    /// Is it the last that its connection may ask?
    pub(super) is_last: bool,
    entry: Option<Box<Entry>>,
    observed: Option<Observed>,
    /// Did all of the answer go out?
    complete: bool,
}

impl Visit {
    pub(super) fn begin(shared: Arc<Shared>, line: Arc<Line>, parts: &request::Parts) -> Self {
        let kind = if parts.version == Version::HTTP_2 { Kind::Http2 } else { Kind::Http1 };
        let is_last = line.pulse.begin(kind) >= shared.limits().keep_alive_requests;
        let client = shared.proxies.client(line.peer.ip().to_canonical(), &parts.headers);
        let entry = Entry::begin(parts, client, shared.parts.clock);
        let observed = Observed::begin(&shared, parts);
        Self { shared, line, meter: Arc::default(), client, kind, is_last, entry, observed, complete: false }
    }

    /// The answer is there; it has yet to go out.
    pub(super) fn answered(&mut self, answer: &Response) {
        if let Some(entry) = &mut self.entry {
            entry.answered(answer);
        }
        if let Some(observed) = &mut self.observed {
            observed.answered(answer);
        }
        if self.is_last {
            self.line.worn.notify_one();
        }
        let status = answer.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.line.pulse.upgrade();
        }
        let bodiless = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.complete = bodiless || answer.body().is_end_stream();
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.line.pulse.end();
        if let Some(entry) = self.entry.take() {
            entry.write(self.complete, self.meter.bytes());
        }
        if let Some(observed) = self.observed.take() {
            observed.end(&self.shared, self.complete);
        }
    }
}

/// An answer's body on its way out.
pub(super) struct Answer {
    body: Body,
    visit: Visit,
    /// Is a part of it on its way, and the next not asked for?
    handed: bool,
}

impl Answer {
    pub(super) fn new(body: Body, visit: Visit) -> Self {
        Self { body, visit, handed: false }
    }

    /// The client has made room for what was handed out.
    fn take(&mut self) {
        if std::mem::take(&mut self.handed) {
            self.visit.line.pulse.take();
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.take();
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.handed = true;
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.visit.line.pulse.hand(bytes);
        }
        self.visit.complete |= matches!(polled, Poll::Ready(None)) || self.body.is_end_stream();
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.take();
    }
}
