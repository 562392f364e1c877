//! A request in the router: it has its time, and a panic ends nothing but it.

use std::{
    any::Any,
    convert::Infallible,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::future::RouteFuture,
};
use tokio::time::{Sleep, sleep};

use crate::error::panic_text;

/// A request on its way through the router.
pub(super) type Routed = RouteFuture<Infallible>;

/// The router's answer, if it is there.
pub(super) fn look(routed: &mut Routed, waker: &Waker) -> Poll<Response> {
    let routed = Pin::new(routed);
    match catch_unwind(AssertUnwindSafe(|| routed.poll(&mut Context::from_waker(waker)))) {
        Ok(polled) => polled.map(|Ok(answer)| answer),
        Err(panic) => Poll::Ready(panicked(&*panic)),
    }
}

/// Becomes the router's answer, or that of the server in its place.
pub(super) struct Handling {
    routed: Routed,
    limit: Duration,
    /// When it has had its time.
    late: Option<Pin<Box<Sleep>>>,
}

impl Handling {
    pub(super) fn new(routed: Routed, limit: Duration) -> Self {
        Self { routed, limit, late: None }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Response> {
        let limit = self.limit;
        ready!(self.late.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx));
        tracing::warn!(target: "tegami::http", ?limit, "a handler was not done in time");
        Poll::Ready(StatusCode::SERVICE_UNAVAILABLE.into_response())
    }
}

impl Future for Handling {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match look(&mut self.routed, cx.waker()) {
            Poll::Ready(answer) => Poll::Ready(answer),
            Poll::Pending => self.wait(cx),
        }
    }
}

/// The answer to a panic, without its text.
fn panicked(panic: &(dyn Any + Send)) -> Response {
    tracing::error!(target: "tegami::http", error = panic_text(panic), "a handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
