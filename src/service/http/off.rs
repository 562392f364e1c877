//! Stands in for the HTTP server: there are no routes to serve.

use crate::{
    lifecycle::Lifecycle,
    publisher::Line,
    service::{Error, ErrorKind, Running, plan::Station},
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
    pub(crate) fn open(_: String, _: &[Station], _: &Running, _: (Clock, Dice)) -> Result<Self, Error> {
        Ok(Self)
    }

    pub(crate) async fn close(&self) {}
}

impl Wish {
    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    /// An address for it that somebody gives in vain is not passed over.
    pub(crate) fn admin(&mut self, environment: Option<String>) -> Result<Option<String>, Error> {
        environment.map_or(Ok(None), |_| {
            let text =
                "TEGAMI_ADMIN is set, and this build of tegami has no `http`: switch on its feature of that name";
            Err(Error::new(ErrorKind::Setting, text))
        })
    }

    pub(crate) fn bind(self, _: Option<&str>) -> Result<Self, Error> {
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
