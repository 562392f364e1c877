//! A request in the router: it has its time, and a panic ends nothing but it.

use std::{
    any::Any,
    convert::Infallible,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
    response::{IntoResponse, Response},
    routing::future::RouteFuture,
};
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use super::slots::Slot;
use crate::error::panic_text;

/// Becomes the router's answer, or that of the server in its place.
pub(super) struct Handling {
    routed: RouteFuture<Infallible>,
    slot: Slot,
    /// When it has had its time. Most handlers are done before anybody has to look.
    late: Option<Pin<Box<Sleep>>>,
}

impl Handling {
    pub(super) fn begin(request: Request<Body>, slot: Slot) -> Self {
        let routed = slot.shared().router.clone().call(request);
        Self { routed, slot, late: None }
    }

    /// The router's answer, if it is there.
    pub(super) fn look(&mut self, waker: &Waker) -> Poll<Response> {
        let routed = Pin::new(&mut self.routed);
        match catch_unwind(AssertUnwindSafe(|| routed.poll(&mut Context::from_waker(waker)))) {
            Ok(polled) => polled.map(|Ok(answer)| answer),
            Err(panic) => Poll::Ready(panicked(&*panic)),
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Response> {
        let limit = self.slot.shared().limits().handler;
        ready!(self.late.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx));
        tracing::warn!(target: "tegami::http", ?limit, "a handler was not done in time");
        Poll::Ready(StatusCode::SERVICE_UNAVAILABLE.into_response())
    }
}

impl Future for Handling {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match self.look(cx.waker()) {
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
