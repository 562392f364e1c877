//! The admin listener: what a service tells of itself, to whoever may reach an address of its own.
//!
//! It changes nothing, takes no bodies, and has small limits.

mod contracts;
mod example;
mod fields;
#[cfg(feature = "metrics")]
mod figures;
mod health;
mod html;
mod index;
mod keys;
mod site;
#[cfg(test)]
mod tests;
mod topology;
#[cfg(not(feature = "metrics"))]
mod uncounted;

#[cfg(feature = "metrics")]
pub(crate) use figures::Figures;
pub(crate) use keys::keys;
pub(crate) use site::{Site, Told, Way};
#[cfg(not(feature = "metrics"))]
pub(crate) use uncounted::Figures;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{HttpOptions, quiet_on};

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
        .route("/topology", get(topology))
        .route("/topology.json", get(topology_json))
        .route("/contracts", get(contracts))
        .route("/contracts.json", get(contracts_json))
        .route("/contracts/{event}", get(contract))
        .with_state(Arc::new(site))
        .merge(figures.router())
        .layer(map_response(move |answer| guarded(answer, policy.clone())))
        .layer(quiet_on(quiet))
}

async fn index(State(site): Asked, headers: HeaderMap) -> Response {
    let health = site.board.health().await;
    match wants_json(&headers) {
        true => json(StatusCode::OK, &health),
        false => html::page(&site.service, "Health", index::page(&health)),
    }
}

async fn topology(State(site): Asked, headers: HeaderMap) -> Response {
    match wants_json(&headers) {
        true => json(StatusCode::OK, &topology::data(&site)),
        false => html::page(&site.service, "Topology", topology::page(&site)),
    }
}

async fn topology_json(State(site): Asked) -> Response {
    json(StatusCode::OK, &topology::data(&site))
}

async fn contracts(State(site): Asked, headers: HeaderMap) -> Response {
    match wants_json(&headers) {
        true => json(StatusCode::OK, &contracts::data(&site)),
        false => html::page(&site.service, "Contracts", contracts::list(&site)),
    }
}

async fn contracts_json(State(site): Asked) -> Response {
    json(StatusCode::OK, &contracts::data(&site))
}

async fn contract(State(site): Asked, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let file = name.strip_suffix(".json");
    let event = file.unwrap_or(&name);
    let answer = match file.is_some() || wants_json(&headers) {
        true => contracts::schema(&site, event).map(|schema| json(StatusCode::OK, &schema)),
        false => contracts::page(&site, event).map(|page| html::page(&site.service, event, page)),
    };
    answer.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// Browsers name HTML; who names JSON and not that gets data.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accept = accept.collect::<Vec<_>>().join(",");
    accept.contains("json") && !accept.contains("text/html")
}

/// What a page may do: be shown, in our one style.
fn policy() -> HeaderValue {
    let digest = BASE64_STANDARD.encode(Sha256::digest(html::STYLE));
    let text = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    text.try_into().expect("it is ASCII")
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
    let text = serde_json::to_vec_pretty(body).expect("text and numbers have a JSON form");
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
