//! The routes of a service under test, which has no socket.

use super::on::{Wish, refused};
use crate::{
    http::{Inside, Parts},
    service::{Error, Running},
    time::{Clock, Dice},
};

impl Wish {
    /// The routes without a socket; none, if there are none.
    pub(crate) fn inside(self, running: &Running, clock: Clock, dice: Dice) -> Result<Option<Inside>, Error> {
        let Some(router) = self.router else { return Ok(None) };
        let (lifecycle, publisher) = (running.lifecycle.clone(), running.publisher().clone());
        let inside = Inside::new(router, self.options, Parts { lifecycle, publisher, clock, dice });
        inside.map(Some).map_err(refused)
    }
}
