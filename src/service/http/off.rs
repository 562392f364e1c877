//! Stands in for the HTTP server: there are no routes to serve.

use crate::{
    lifecycle::Lifecycle,
    publisher::Line,
    service::{Error, Running},
};

/// No routes.
#[derive(Default)]
pub(crate) struct Wish;

/// Nowhere.
#[derive(Default)]
pub(crate) struct Place;

impl Wish {
    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    pub(crate) async fn bind(self, _: Option<&str>) -> Result<Self, Error> {
        Ok(self)
    }

    pub(crate) fn place(&self) -> Place {
        Place
    }

    pub(crate) fn open(self, _: &Line, _: &Running) -> Result<Self, Error> {
        Ok(self)
    }

    pub(crate) fn start(self, _: &Lifecycle) {}
}
