//! Something that is done after a while, unless whoever asked for it is gone before.

use std::time::Duration;

use tokio::task::JoinHandle;

/// Dropped, nothing is done any more.
pub(crate) struct Alarm(JoinHandle<()>);

impl Alarm {
    /// Does this after so long.
    pub(crate) fn after(limit: Duration, ring: impl FnOnce() + Send + 'static) -> Self {
        Self(tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            ring();
        }))
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.abort();
    }
}
