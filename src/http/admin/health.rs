//! What probes ask: is the process alive, and may the service be sent requests?

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use super::{Asked, json};

/// The process answers. It depends on nothing else, for what is restarted because a broker is away gains nothing.
pub(super) async fn live() -> Response {
    json(StatusCode::OK, &json!({ "state": "up" }))
}

/// Every component, with 200 if requests are welcome, else 503.
pub(super) async fn ready(State(site): Asked) -> Response {
    let health = site.board.health().await;
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &health)
}
