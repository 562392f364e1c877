//! Routes that the access log leaves out.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::{http::StatusCode, response::Response};
use futures_util::{FutureExt, future::Map};
use tower_layer::Layer;
use tower_service::Service;

/// Leaves a route's answers out of the access log, but for server errors.
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

/// Leaves a route's answers of these statuses out of the access log.
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
    /// Is this answer left out?
    pub(super) fn is_about(&self, status: StatusCode) -> bool {
        match &self.0 {
            Said::AllButErrors => !status.is_server_error(),
            Said::These(statuses) => statuses.contains(&status),
        }
    }
}

impl<S> Layer<S> for Quiet {
    type Service = Marked<S>;

    fn layer(&self, inner: S) -> Marked<S> {
        Marked { inner, quiet: self.clone() }
    }
}

/// A service whose answers carry the wish.
#[derive(Debug, Clone)]
pub struct Marked<S> {
    inner: S,
    quiet: Quiet,
}

impl<R, B, S: Service<R, Response = Response<B>>> Service<R> for Marked<S> {
    type Response = Response<B>;
    type Error = S::Error;
    type Future =
        Map<S::Future, Box<dyn FnOnce(Result<Response<B>, S::Error>) -> Result<Response<B>, S::Error> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let quiet = self.quiet.clone();
        self.inner.call(request).map(Box::new(move |answer| {
            let mut answer = answer?;
            answer.extensions_mut().insert(quiet);
            Ok(answer)
        }))
    }
}
