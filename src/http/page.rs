//! Pages of the user's own for answers that would be empty errors.

use std::{collections::BTreeMap, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri, header, request},
    response::Response,
};
use futures_util::FutureExt;
use http_body::Body;

use super::options::HttpOptions;
use crate::{error::panic_text, middleware::BoxFuture};

/// What a page of your own is about: see [`HttpOptions::page`](super::HttpOptions::page).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// The answer's status.
    pub status: StatusCode,
    /// The request's method.
    pub method: Method,
    /// The request's target.
    pub uri: Uri,
    /// The request's headers.
    pub headers: HeaderMap,
}

pub(super) type Making = BoxFuture<Response>;
/// A page for each status that has one.
pub(super) type Pages = BTreeMap<u16, Arc<dyn Fn(Page) -> Making + Send + Sync>>;

impl Page {
    /// What a request's page will be about, should it need one.
    pub(super) fn about(options: &HttpOptions, parts: &request::Parts) -> Option<Box<Self>> {
        let about = || Self {
            status: StatusCode::OK,
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        };
        (!options.pages.is_empty()).then(|| Box::new(about()))
    }

    /// The answer with its page, where it is empty and has one. A page that panics, or takes longer than a handler may,
    /// is none.
    pub(super) async fn fill(self, options: &HttpOptions, answer: Response) -> Response {
        let status = answer.status();
        let is_head = self.method == Method::HEAD;
        let page = options.pages.get(&status.as_u16()).filter(|_| is_empty(is_head, &answer));
        let Some(page) = page else { return answer };
        let making = async { page(Self { status, ..self }).await };
        match make(making, status, options.limits.handler).await {
            Some(made) if is_head => without_body(merge(answer, made)),
            Some(made) => merge(answer, made),
            None => answer,
        }
    }
}

/// Has the answer no body? One to HEAD never has, and tells of that which it left out.
fn is_empty(is_head: bool, answer: &Response) -> bool {
    let headers = answer.headers();
    let leaves_out = match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length != "0",
        None => headers.contains_key(header::CONTENT_TYPE),
    };
    answer.body().is_end_stream() && !(is_head && leaves_out)
}

/// The page, if it is one in time.
async fn make(making: impl Future<Output = Response>, status: StatusCode, limit: Duration) -> Option<Response> {
    let page = status.as_u16();
    match tokio::time::timeout(limit, AssertUnwindSafe(making).catch_unwind()).await {
        Ok(Ok(made)) => Some(made),
        Ok(Err(panic)) => {
            tracing::error!(target: "tegami::http", page, error = panic_text(&*panic), "a page panicked");
            None
        }
        Err(_) => {
            tracing::warn!(target: "tegami::http", page, ?limit, "a page was not done in time");
            None
        }
    }
}

/// What HEAD is told: how long the body would have been.
fn without_body(mut answer: Response) -> Response {
    if let Some(length) = answer.body().size_hint().exact() {
        answer.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length.into());
    }
    answer.map(|_| axum::body::Body::empty())
}

/// The answer with the page's body, and what its head says.
fn merge(answer: Response, made: Response) -> Response {
    let (mut head, _) = answer.into_parts();
    let (made, body) = made.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.extend(made.headers);
    if made.status != StatusCode::OK {
        head.status = made.status;
    }
    Response::from_parts(head, body)
}
