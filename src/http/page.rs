//! Pages of the user's own for answers that would be empty errors.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri, header, request},
    response::Response,
};
use futures_util::FutureExt;
use http_body::Body;

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
    pub(super) fn about(pages: &Pages, parts: &request::Parts) -> Option<Self> {
        (!pages.is_empty()).then(|| Self {
            status: StatusCode::OK,
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        })
    }

    /// The answer with its page, where it is empty and has one. A page that panics is none.
    pub(super) async fn fill(self, pages: &Pages, answer: Response) -> Response {
        let status = answer.status();
        let Some(page) = pages.get(&status.as_u16()).filter(|_| answer.body().is_end_stream()) else { return answer };
        let making = async { page(Self { status, ..self }).await };
        let Ok(made) = AssertUnwindSafe(making).catch_unwind().await else { return answer };
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
