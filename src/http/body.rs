//! A request's body within its limits, whoever reads it: an extractor, or a handler that takes it as a stream.

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use axum::http::StatusCode;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{exchange::Exchange, options::Limits};
use crate::error::BoxError;

/// What is known of a body after its request has gone to the router.
#[derive(Default)]
pub(super) struct Meter {
    bytes: AtomicU64,
    broken: AtomicU8,
}

const TOO_LARGE: u8 = 1;
const TOO_SLOW: u8 = 2;

impl Meter {
    /// Bytes of it that were read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// The answer to a body that met its limit, whatever the handler made of it.
    pub(super) fn refusal(&self) -> Option<StatusCode> {
        match self.broken.load(Relaxed) {
            TOO_LARGE => Some(StatusCode::PAYLOAD_TOO_LARGE),
            TOO_SLOW => Some(StatusCode::REQUEST_TIMEOUT),
            _ => None,
        }
    }

    fn broke(&self, how: u8) -> BoxError {
        self.broken.store(how, Relaxed);
        if how == TOO_LARGE { "the body is larger than allowed".into() } else { "the body comes too slowly".into() }
    }
}

/// What a request may come with: hyper's body, or in a test any.
pub(super) trait Coming: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static {}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static> Coming for B {}

/// A body on its way in.
pub(super) struct Metered<B: Coming> {
    body: B,
    exchange: Exchange,
    /// How long it was waited for, waits that are over.
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B: Coming> Metered<B> {
    pub(super) fn new(body: B, exchange: Exchange) -> Self {
        Self { body, exchange, waited: Duration::ZERO, waiting: None }
    }

    fn limits(&self) -> &Limits {
        self.exchange.shared().limits()
    }

    fn now(&self) -> Instant {
        self.exchange.shared().parts.clock.instant()
    }

    /// How long a client may let us wait that has sent so much. Time in which nobody reads is not its fault.
    fn allowed(&self) -> Duration {
        let earned = Duration::from_secs_f64(self.exchange.meter().bytes() as f64 / f64::from(self.limits().body_rate));
        self.limits().body_grace.saturating_add(earned).min(self.limits().body_time)
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.waiting.is_none() {
            let now = self.now();
            let until = now + self.allowed().saturating_sub(self.waited);
            self.waiting = Some((now, Box::pin(sleep_until(until))));
        }
        let late = self.waiting.as_mut().is_some_and(|(_, end)| end.as_mut().poll(cx).is_ready());
        if late { Poll::Ready(Some(Err(self.exchange.meter().broke(TOO_SLOW)))) } else { Poll::Pending }
    }

    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BoxError> {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let bytes = self.exchange.meter().bytes.fetch_add(length, Relaxed) + length;
        if bytes > self.limits().body { Err(self.exchange.meter().broke(TOO_LARGE)) } else { Ok(frame) }
    }
}

impl<B: Coming> Body for Metered<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.exchange.meter().refusal().is_some() {
            return Poll::Ready(None);
        }
        let Poll::Ready(polled) = Pin::new(&mut this.body).poll_frame(cx) else { return this.wait(cx) };
        if let Some((since, _)) = this.waiting.take() {
            this.waited += this.now().saturating_duration_since(since);
        }
        Poll::Ready(polled.map(|frame| this.take(frame.map_err(Into::into)?)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Coming> Drop for Metered<B> {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.exchange.line().pulse.leave_unread();
        }
    }
}
