//! Stands in for routes in a build without HTTP.

use crate::{
    Error,
    service::{Running, http::Wish},
    time::{Clock, Dice},
};

/// No routes.
pub(super) struct Routes;

impl Routes {
    pub(super) fn of(_: Wish, _: &Running, _: Clock, _: Dice) -> Result<Self, Error> {
        Ok(Self)
    }

    pub(super) fn close(self) {}
}
