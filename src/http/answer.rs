//! A request from its head to the last byte of its answer: what is counted and logged of it.

use std::{
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
use tracing::Span;

use super::{
    access::{self, Entry},
    connection::Line,
    exchange::Exchange,
    observed::Observed,
    pulse::{Begun, Framing, Kind, Pulse},
    server::Shared,
};

/// One request under way; dropped, it is over.
pub(super) struct Visit {
    pub(super) exchange: Exchange,
    pub(super) kind: Kind,
    pub(super) framing: Framing,
    /// Is it the last that its connection may ask?
    pub(super) is_last: bool,
    entry: Option<Box<Entry>>,
    observed: Option<Box<Observed>>,
    /// Bytes of the answer's last part, which the connection has taken.
    taken: usize,
    /// Bytes that are to come by the answer's head, where its body does not know.
    owed: Option<u64>,
    /// Did all of the answer go out?
    complete: bool,
    /// Has it a place among those that are handled?
    has_slot: bool,
}

impl Visit {
    pub(super) fn begin(line: Arc<Line>, parts: &request::Parts, span: &Span) -> Self {
        let kind = if parts.version == Version::HTTP_2 { Kind::Http2 } else { Kind::Http1 };
        let Begun { number, framing } = line.pulse.begin(kind);
        let is_last = number >= line.shared.limits().keep_alive_requests;
        let client = line.shared.proxies.client(line.peer.ip().to_canonical(), &parts.headers);
        let entry = Entry::begin(parts, client, line.shared.parts.clock, span);
        let observed = Observed::begin(&line.shared, parts);
        let exchange = Exchange::new(line, client, span.clone());
        let (owed, complete, has_slot) = (None, false, false);
        Self { exchange, kind, framing, is_last, entry, observed, taken: 0, owed, complete, has_slot }
    }

    /// Takes a place among the requests that are handled, until it is answered or over.
    pub(super) fn take_slot(&mut self) -> bool {
        self.has_slot = self.shared().slots.take();
        self.has_slot
    }

    fn give_slot_back(&mut self) {
        if std::mem::take(&mut self.has_slot) {
            self.shared().slots.give_back();
        }
    }

    /// What the server knows.
    pub(super) fn shared(&self) -> &Shared {
        self.exchange.shared()
    }

    /// What the connection is doing.
    pub(super) fn pulse(&self) -> &Pulse {
        &self.exchange.line().pulse
    }

    /// The answer is there; it has yet to go out.
    pub(super) fn answered(&mut self, answer: &Response) {
        self.give_slot_back();
        if let Some(entry) = &mut self.entry {
            entry.answered(answer);
        }
        if let Some(observed) = &mut self.observed {
            observed.answered(answer.status());
        }
        self.exchange.answered(answer.status());
        if self.is_last {
            self.exchange.line().worn.notify_one();
        }
        let status = answer.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.pulse().upgrade();
        }
        let bodiless = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.complete = bodiless || answer.body().is_end_stream();
        let knows = self.complete || answer.body().size_hint().exact().is_some();
        self.owed = if knows { None } else { access::length(answer.headers()) };
    }

    /// So much more of it goes out. Where its length was told, the connection does not ask for an end beyond it.
    fn send(&mut self, bytes: usize) {
        self.owed = self.owed.map(|owed| owed.saturating_sub(bytes as u64));
        self.complete |= self.owed == Some(0);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.give_slot_back();
        self.pulse().end(self.taken);
        if let Some(entry) = self.entry.take() {
            entry.write(self.complete, &self.exchange);
        }
        if let Some(observed) = self.observed.take() {
            observed.end(&self.exchange, self.complete);
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
            self.visit.pulse().take();
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
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.visit.send(bytes);
            // With HTTP/1 the connection takes the last part at once. With HTTP/2 it waits for the client to have room.
            if self.visit.kind == Kind::Http1 && self.body.is_end_stream() {
                self.visit.taken = bytes;
            } else {
                self.handed = true;
                self.visit.pulse().hand(bytes);
            }
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
