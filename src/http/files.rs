//! Files below a folder, and nothing else: no way out of it, no dot files, no lists.

use std::{
    convert::Infallible,
    path::{Component, Path, PathBuf},
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
    response::{IntoResponse, Response},
};
use tower_http::services::ServeDir;
use tower_service::Service;

use crate::middleware::BoxFuture;

/// Serves the files below a folder, with ranges, `Last-Modified` and `HEAD`; to be nested in a router.
///
/// A path is served only if what it names, every link followed, is a file below the folder, every link followed. No
/// part of a path may begin with a dot. Anything else is a 404.
///
/// # Examples
/// ```
/// use tegami::http::{Files, axum::Router};
///
/// let router: Router = Router::new().nest_service("/static", Files::below("public"));
/// ```
#[derive(Debug, Clone)]
pub struct Files {
    root: Arc<Path>,
    serve: ServeDir,
}

impl Files {
    /// The files below this folder. It is looked at when a file is asked for.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let serve = ServeDir::new(&root).append_index_html_on_directories(false);
        Self { root: root.into(), serve }
    }
}

impl Service<Request<Body>> for Files {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (root, mut serve) = (self.root.clone(), self.serve.clone());
        Box::pin(async move {
            let Some(path) = plain(request.uri().path()) else { return Ok(not_found()) };
            if !is_below(&root, &path).await {
                return Ok(not_found());
            }
            let served = serve.try_call(request).await;
            Ok(served.map_or_else(|_| not_found(), |answer| answer.map(Body::new)))
        })
    }
}

fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

/// The path that a target names, if it has nothing but names in it.
pub(super) fn plain(target: &str) -> Option<PathBuf> {
    let path = decode(target.trim_start_matches('/'))?;
    let odd = |c: char| c.is_control() || matches!(c, '\\' | ':');
    if path.is_empty() || path.contains(odd) || path.split('/').any(|name| name.starts_with('.')) {
        return None;
    }
    let path = PathBuf::from(path);
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

/// The text with its `%41` decoded, once.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(match byte {
            b'%' => (digit(rest.next())? * 16 + digit(rest.next())?) as u8,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Is it a file, and below the root, once every link is followed?
async fn is_below(root: &Path, path: &Path) -> bool {
    let Ok(real_root) = tokio::fs::canonicalize(root).await else { return false };
    let Ok(real) = tokio::fs::canonicalize(root.join(path)).await else { return false };
    let is_file = tokio::fs::metadata(&real).await.is_ok_and(|found| found.is_file());
    is_file && real.starts_with(&real_root)
}
