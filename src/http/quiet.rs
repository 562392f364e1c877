//! Routes that the access log leaves out.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    http::{Request, StatusCode},
    response::Response,
};
use futures_util::{FutureExt, future::Map};
use tower_layer::Layer;
use tower_service::Service;

use super::exchange::Exchange;

/// Leaves a route's answers out of the access log, and clients that left, but for server errors.
///
/// # Examples
/// ```
/// use tegami::http::{axum::{Router, routing::get}, quiet};
///
/// let router: Router = Router::new().route("/health", get(|| async { "ok" }).layer(quiet()));
/// ```
pub fn quiet() -> Quiet {
    Quiet(Said::AllButErrors)
}

/// Leaves a route's answers of these statuses out of the access log; 499 is a client that left.
pub fn quiet_on(statuses: impl IntoIterator<Item = StatusCode>) -> Quiet {
    Quiet(Said::These(statuses.into_iter().collect()))
}

/// A layer that leaves answers out of the access log; see [`quiet`] and [`quiet_on`].
#[derive(Debug, Clone)]
pub struct Quiet(Said);

/// Which answers are left out; in an answer, the wish about it.
#[derive(Debug, Clone)]
enum Said {
    AllButErrors,
    These(Arc<[StatusCode]>),
}

impl Quiet {
    /// Is left out what is told with this status, and was answered with that one, if at all?
    pub(super) fn is_about(&self, told: u16, answer: Option<StatusCode>) -> bool {
        match &self.0 {
            Said::AllButErrors => !answer.is_some_and(|status| status.is_server_error()),
            Said::These(statuses) => statuses.iter().any(|status| *status == told),
        }
    }
}

impl<S> Layer<S> for Quiet {
    type Service = Marked<S>;

    fn layer(&self, inner: S) -> Marked<S> {
        Marked { inner, quiet: self.clone() }
    }
}

/// A service whose answers carry the wish, as their requests do until then.
#[derive(Debug, Clone)]
pub struct Marked<S> {
    inner: S,
    quiet: Quiet,
}

impl<I, O, S: Service<Request<I>, Response = Response<O>>> Service<Request<I>> for Marked<S> {
    type Response = Response<O>;
    type Error = S::Error;
    type Future =
        Map<S::Future, Box<dyn FnOnce(Result<Response<O>, S::Error>) -> Result<Response<O>, S::Error> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        let quiet = self.quiet.clone();
        if let Some(exchange) = request.extensions().get::<Exchange>() {
            exchange.note_quiet(&quiet);
        }
        self.inner.call(request).map(Box::new(move |answer| {
            let mut answer = answer?;
            answer.extensions_mut().insert(quiet);
            Ok(answer)
        }))
    }
}
