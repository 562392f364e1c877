//! The admin listener: what a service tells of itself, to whoever may reach an address of its own.
//!
//! It changes nothing, takes no bodies, and has small limits.

#[cfg(feature = "metrics")]
mod figures;
mod health;
mod index;
mod keys;
mod site;
#[cfg(test)]
mod tests;
#[cfg(not(feature = "metrics"))]
mod uncounted;

#[cfg(feature = "metrics")]
pub(crate) use figures::Figures;
pub(crate) use keys::keys;
pub(crate) use site::Site;
#[cfg(not(feature = "metrics"))]
pub(crate) use uncounted::Figures;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use super::{HttpOptions, quiet_on};
use crate::catalog;

type Asked = State<Arc<Site>>;

/// All that there is to ask for.
pub(crate) fn router(site: Site, figures: Figures) -> Router {
    // What probes ask for all the time is no news.
    let quiet =
        [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::SERVICE_UNAVAILABLE];
    let policy = policy();
    Router::new()
        .route("/", get(index))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/catalog", get(catalog))
        .route("/topology", get(topology))
        .route("/topology.json", get(topology))
        .route("/asyncapi.json", get(document))
        .route("/contracts/{file}", get(schema))
        .with_state(Arc::new(site))
        .merge(figures.router())
        .layer(map_response(move |answer| guarded(answer, policy.clone())))
        .layer(quiet_on(quiet))
}

async fn index(State(site): Asked, headers: HeaderMap) -> Response {
    let health = site.board.health().await;
    if wants_json(&headers) {
        return json(StatusCode::OK, &health);
    }
    let title = format!("Health · {}", site.service);
    Html(catalog::framed(&title, index::links(&site.service), index::page(&health))).into_response()
}

async fn catalog(State(site): Asked) -> Response {
    Html(site.catalog.clone()).into_response()
}

async fn topology(State(site): Asked) -> Response {
    in_json(StatusCode::OK, site.topology.clone())
}

async fn document(State(site): Asked) -> Response {
    json(StatusCode::OK, &site.document)
}

async fn schema(State(site): Asked, Path(file): Path<String>) -> Response {
    let schema = file.strip_suffix(".json").and_then(|event| site.schema(event));
    schema.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |schema| json(StatusCode::OK, schema))
}

/// Browsers name HTML; who names JSON and not that gets data.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accept = accept.collect::<Vec<_>>().join(",");
    accept.contains("json") && !accept.contains("text/html")
}

/// What a page may do, and that no other may hold it.
fn policy() -> HeaderValue {
    format!("{}; frame-ancestors 'none'", catalog::policy()).try_into().expect("it is ASCII")
}

/// The same for every answer: what it may do, and that nobody keeps it.
async fn guarded(mut answer: Response, policy: HeaderValue) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    answer
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
    in_json(status, serde_json::to_string_pretty(body).expect("text and numbers have a JSON form"))
}

fn in_json(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
