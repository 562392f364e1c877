//! Stands in for the HTTP server: there are no routes to serve.

use std::{convert::Infallible, future::Ready, sync::Arc};

use crate::{
    lifecycle::Lifecycle,
    pipeline::Route,
    publisher::Line,
    service::{Error, ErrorKind, Running, plan::Station},
    time::{Clock, Dice},
};

/// No routes.
#[derive(Default)]
pub(crate) struct Wish;

/// Nothing to tell of a subscription.
pub(crate) struct Told;

impl Told {
    pub(crate) fn of<E>(_: &impl Sized) -> Self {
        Self
    }
}

/// No admin listener.
#[derive(Default)]
pub(crate) struct Admin;

/// Nowhere.
#[derive(Default)]
pub(crate) struct Place;

impl Admin {
    pub(crate) fn open(asked: Infallible, _: &[Station], _: &Running, _: (Clock, Dice)) -> Ready<Result<Self, Error>> {
        match asked {}
    }

    pub(crate) async fn close(&self) {}
}

impl Wish {
    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    pub(crate) fn tell(&mut self, _: &Arc<Route>, _: Told) {}

    /// An address for it that somebody gives in vain is not passed over.
    pub(crate) fn admin(&mut self, _: &str, environment: Option<String>) -> Result<Option<Infallible>, Error> {
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
