//! Stands in for the HTTP server: there are no routes to serve.

use crate::{
    config::{Absent, Config, Known},
    lifecycle::Lifecycle,
    publisher::Line,
    service::{Error, Running, banner::Table},
};

/// No routes.
#[derive(Default)]
pub(crate) struct Wish;

/// Nowhere.
#[derive(Default)]
pub(crate) struct Place;

/// The section that is left out.
pub(crate) fn keys() -> Result<Box<dyn Known>, Absent> {
    Err(Absent { section: "http", feature: "http" })
}

impl Place {
    pub(crate) fn table(&self) -> Table {
        Table { heads: &[], rows: Vec::new() }
    }
}

impl Wish {
    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    pub(crate) fn bind(self, _: &Config) -> Result<Self, Error> {
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
