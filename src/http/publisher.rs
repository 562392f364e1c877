//! The publisher as an extractor: what a request publishes carries its trace and correlation on.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request},
};

use super::exchange::Exchange;
use crate::publisher::Publisher;

/// The service's publisher, in any handler of a router given to [`Service::routes`](crate::Service::routes).
///
/// The request's `traceparent` and `tracestate` travel on as attributes, and its `x-correlation-id` or `x-request-id`
/// as correlation id; without one, all that the request publishes shares a new one.
///
/// # Errors
/// 500, when the router is not run by a tegami service.
impl<S: Sync> FromRequestParts<S> for Publisher {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, StatusCode> {
        let exchange = parts.extensions.get::<Exchange>().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        Ok(exchange.publisher(&parts.headers))
    }
}
