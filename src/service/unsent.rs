//! Stands in for what is sent to a collector, in a build without `otel`: nothing is.

use std::time::Duration;

use super::{Error, Parts};

/// Nothing.
pub(super) struct Sender(());

impl Sender {
    pub(super) fn start(_: &mut Parts) -> Result<Self, Error> {
        Ok(Self(()))
    }

    pub(super) fn none() -> Self {
        Self(())
    }

    #[cfg_attr(not(feature = "logs"), expect(dead_code, reason = "there is no log for it to be beside"))]
    pub(super) fn beside<T>(&self) -> Option<T> {
        None
    }

    pub(super) async fn close(self, _: Duration) {}
}
