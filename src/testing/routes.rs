//! Requests to a service under test: its routes, without a socket.

use axum::{body::Body, http::Request, response::Response};

use super::TestService;
use crate::{
    Error,
    config::Config,
    http::Inside,
    publisher::Line,
    service::{Running, http::Wish},
};

/// The routes, if the service has any.
pub(super) struct Routes(Option<Inside>);

impl Routes {
    pub(super) fn of(wish: Wish, config: &Config, line: &Line, running: &Running) -> Result<Self, Error> {
        wish.inside(config, line, running).map(Self)
    }

    /// Answers nobody any more.
    pub(super) fn close(self) {}
}

impl TestService {
    /// Answers a request by the service's routes, in this process: extractors, layers, pages and limits are as they
    /// are behind a socket, on the paused clock. What is about connections is not: TLS, framing, WebSockets.
    ///
    /// # Panics
    /// The service has no routes.
    ///
    /// # Examples
    /// ```
    /// use tegami::{
    ///     Publisher, Service,
    ///     http::axum::{Router, extract::Path, http::{Request, StatusCode}, routing::post},
    ///     testing::TestService,
    /// };
    /// # mod contracts { tegami::include_contracts!(); }
    /// # use contracts::shop::orders::v1::OrderPaid;
    ///
    /// async fn pay(publisher: Publisher, Path(id): Path<String>) -> StatusCode {
    ///     let paid = OrderPaid::builder().order_id(id).currency("EUR").amount_minor(990).build();
    ///     publisher.publish(&paid).await.map_or(StatusCode::SERVICE_UNAVAILABLE, |_| StatusCode::ACCEPTED)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tegami::Error> {
    /// let router = Router::new().route("/orders/{id}", post(pay));
    /// let shop = TestService::start(Service::new("shop").routes(router)).await?;
    /// let answer = shop.call(Request::post("/orders/o-1").body("").expect("a request")).await;
    /// assert_eq!(answer.status(), StatusCode::ACCEPTED);
    /// assert_eq!(shop.published::<OrderPaid>()[0].order_id, "o-1");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call(&self, request: Request<impl Into<Body>>) -> Response {
        let routes = self.routes.0.as_ref().expect("only a service with routes can be called");
        routes.answer(request.map(Into::into)).await
    }
}
