//! The log of a service that is run.

use super::Sender;
use crate::{
    config::{Absent, Config, Known},
    logs,
};

/// The section `[log]`.
pub(super) fn keys() -> Result<Box<dyn Known>, Absent> {
    Ok(Box::new(logs::keys()))
}

/// Sets it up, unless the program has set up one.
pub(super) fn init(config: &Config, sender: &Sender) {
    logs::init_if_unset(config, sender.beside());
}
