//! The admin listener: what a service tells of itself, to whoever may reach an address of its own.
//!
//! It changes nothing, takes no bodies, and has small limits. Telemetry adds `/metrics` in [`router`].

mod health;

use std::time::Duration;

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use super::{HttpOptions, quiet_on};
use crate::health::Board;

/// All that there is to ask for.
pub(crate) fn router(board: Board) -> Router {
    // What probes ask for all the time is no news.
    let quiet =
        [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::SERVICE_UNAVAILABLE];
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(board)
        .layer(quiet_on(quiet))
}

/// This address, and limits for a few people and probes.
pub(crate) fn options(address: String) -> HttpOptions {
    HttpOptions::default().address(address).limits(|limits| {
        limits.first_byte = Duration::from_secs(5);
        limits.head = Duration::from_secs(5);
        limits.idle = Duration::from_secs(30);
        limits.write = Duration::from_secs(10);
        limits.handler = Duration::from_secs(10);
        limits.uri = 1024;
        limits.headers = 64;
        limits.header_bytes = 8 * 1024;
        limits.body = 0;
        limits.requests = 64;
        limits.connections = 128;
        limits.connections_per_address = 64;
        limits.streams = 16;
    })
}

/// An answer in JSON.
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_vec_pretty(body).expect("text and numbers have a JSON form");
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
