//! Health as an extractor: for routes of the user's own that are to answer probes.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request},
};

use super::exchange::Exchange;
use crate::health::Health;

/// How the service is, in any handler of a router given to [`Service::routes`](crate::Service::routes).
///
/// # Errors
/// 500, when the router is not run by a tegami service.
impl<S: Sync> FromRequestParts<S> for Health {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, StatusCode> {
        let exchange = parts.extensions.get::<Exchange>().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        Ok(exchange.shared().parts.board.health().await)
    }
}
