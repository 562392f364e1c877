//! What stands for the log in a service that is built without one: the program may set one up.

use super::Sender;
use crate::config::{Absent, Config, Known};

/// The section that is left out: `[log]`, by the feature `logs`.
pub(super) fn keys() -> Result<Box<dyn Known>, Absent> {
    Err(Absent { section: "log", feature: "logs" })
}

/// Nothing.
pub(super) fn init(_: &Config, _: &Sender) {}
