//! Stands in for routes in a build without HTTP.

use crate::{
    Error,
    config::Config,
    publisher::Line,
    service::{Running, http::Wish},
};

/// No routes.
pub(super) struct Routes;

impl Routes {
    pub(super) fn of(_: Wish, _: &Config, _: &Line, _: &Running) -> Result<Self, Error> {
        Ok(Self)
    }

    pub(super) fn close(self) {}
}
