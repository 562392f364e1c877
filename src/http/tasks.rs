//! hyper's tasks, owned by the service like all others.

use std::future::Future;

use hyper::rt::Executor;

use crate::lifecycle::Lifecycle;

/// Starts what HTTP/2 does beside its connection: one task for each stream. It ends with its connection, so it need not
/// know of the cut.
#[derive(Clone)]
pub(super) struct Tasks(pub(super) Lifecycle);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, work: F) {
        self.0.spawn(work);
    }
}
