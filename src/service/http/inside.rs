//! The routes of a service under test, which has no socket.

use super::on::{Wish, parts, refused};
use crate::{
    config::Config,
    health::Light,
    http::Inside,
    publisher::Line,
    service::{Error, Running},
};

impl Wish {
    /// The routes without a socket; none, if there are none.
    pub(crate) fn inside(self, config: &Config, line: &Line, running: &Running) -> Result<Option<Inside>, Error> {
        let Some((router, options)) = self.chosen(config) else { return Ok(None) };
        Inside::new(router, options, parts(line, running, Light::default())).map(Some).map_err(refused)
    }
}
