//! hyper's tasks, owned by the service like all others.

use std::future::Future;

use hyper::rt::Executor;

use crate::lifecycle::Lifecycle;

/// Starts what HTTP/2 does beside its connection.
#[derive(Clone)]
pub(super) struct Tasks(pub(super) Lifecycle);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, work: F) {
        let cut = self.0.cut_off().clone();
        self.0.spawn(async move {
            tokio::select! {
                biased;
                () = cut.cancelled() => {}
                () = work => {}
            }
        });
    }
}
