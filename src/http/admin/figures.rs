//! `/metrics`: what happens in the service, counted from its start.

use std::sync::Arc;

use axum::{Router, http::header, routing::get};

use crate::telemetry::{Metrics, Observer};

/// Counts what happens in a service, and shows it.
#[derive(Default)]
pub(crate) struct Figures(Metrics);

impl Figures {
    /// Counts what these see.
    pub(crate) fn join(&self, observers: &mut Vec<Arc<dyn Observer>>) {
        observers.push(Arc::new(self.0.clone()));
    }

    pub(super) fn router(self) -> Router {
        let text = async move || ([(header::CONTENT_TYPE, Metrics::MEDIA_TYPE)], self.0.text());
        Router::new().route("/metrics", get(text))
    }
}
