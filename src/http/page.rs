//! Pages of the user's own for answers that would be empty errors.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri, header, request},
    response::Response,
};
use futures_util::FutureExt;
use http_body::Body;

use super::options::HttpOptions;
use crate::middleware::BoxFuture;

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
        let page = options.pages.get(&status.as_u16()).filter(|_| answer.body().is_end_stream());
        let Some(page) = page else { return answer };
        let making = AssertUnwindSafe(async { page(Self { status, ..self }).await }).catch_unwind();
        let Ok(Ok(made)) = tokio::time::timeout(options.limits.handler, making).await else { return answer };
        let (mut head, _) = answer.into_parts();
        let (made, body) = made.into_parts();
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.extend(made.headers);
        if made.status != StatusCode::OK {
            head.status = made.status;
        }
        Response::from_parts(head, body)
    }
}
