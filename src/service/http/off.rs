//! Stands in for the HTTP server: there are no routes to serve.

use std::{convert::Infallible, future::Ready, sync::Arc};

use serde_json::Value as Json;

use crate::{
    config::{Absent, Config, Known},
    lifecycle::Lifecycle,
    publisher::Line,
    service::{Description, Error, Running},
    telemetry::Observer,
    time::{Clock, Dice},
};

/// No routes.
#[derive(Default)]
pub(crate) struct Wish;

/// No admin listener.
#[derive(Default)]
pub(crate) struct Admin;

/// Nowhere.
#[derive(Default)]
pub(crate) struct Place;

impl Admin {
    pub(crate) fn open(asked: Infallible, _: &Running, _: (Clock, Dice)) -> Ready<Result<Self, Error>> {
        match asked {}
    }

    pub(crate) fn url(&self) -> Option<String> {
        None
    }

    pub(crate) async fn close(&self) {}
}

/// The section that is left out.
pub(crate) fn admin_keys() -> Result<Box<dyn Known>, Absent> {
    Err(Absent { section: "admin", feature: "http" })
}

/// The other one.
pub(crate) fn keys() -> Result<Box<dyn Known>, Absent> {
    Err(Absent { section: "http", feature: "http" })
}

impl Place {
    pub(crate) fn url(&self) -> Option<String> {
        None
    }
}

impl Wish {
    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    pub(crate) fn admin(
        &mut self,
        _: impl FnOnce() -> (Description, Json),
        _: &Config,
        _: &mut Vec<Arc<dyn Observer>>,
    ) -> Option<Infallible> {
        None
    }

    pub(crate) async fn bind(self, _: &Config) -> Result<Self, Error> {
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
