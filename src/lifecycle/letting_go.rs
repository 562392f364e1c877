//! When one piece of work has to let go: with all that the service does, or alone.

use tokio_util::sync::CancellationToken;

use super::Lifecycle;

/// The sign of it. Clones are of the same piece of work.
#[derive(Debug, Clone)]
pub(crate) struct LettingGo {
    service: Lifecycle,
    /// Not a child of the service's: that would have a list of all work under way, behind a lock.
    alone: CancellationToken,
}

impl LettingGo {
    /// For one more piece of work of this service.
    pub(crate) fn with(service: &Lifecycle) -> Self {
        Self { service: service.clone(), alone: CancellationToken::new() }
    }

    /// This piece of work has to.
    pub(crate) fn now(&self) {
        self.alone.cancel();
    }

    /// Waits until it has to.
    ///
    /// # Cancel safety
    /// Nothing is lost when this future is dropped.
    pub(crate) async fn begun(&self) {
        tokio::select! {
            biased;
            () = self.service.cut_off().cancelled() => {}
            () = self.alone.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn l2_work_lets_go_alone_or_with_its_service() {
        let service = Lifecycle::default();
        let (one, other) = (LettingGo::with(&service), LettingGo::with(&service));
        assert_eq!((one.begun().now_or_never(), other.begun().now_or_never()), (None, None));
        one.now();
        assert_eq!((one.clone().begun().now_or_never(), other.begun().now_or_never()), (Some(()), None));
        service.cut();
        assert_eq!(other.begun().now_or_never(), Some(()));
    }
}
