//! Services that handle letters at once, or once they may; for cases about what happens meanwhile.

use std::{
    future::{Future, Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;

use super::{LetterPosted, Trial, letter};
use crate::{
    Context, HandlerError, Publisher, Retry, Service, Subscription, envelope::MessageId, transport::PublishError,
};

/// Longer than any fault of a case.
const LONG: Duration = Duration::from_secs(600);

impl Trial {
    /// A service on a connection of its own that handles so many letters at once, and none of them twice.
    pub(super) async fn billing<F, Fut>(&self, concurrency: usize, behave: F) -> Service
    where
        F: Fn(LetterPosted, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let service = self.service("billing").await;
        self.handling(service, behave, |subscription| subscription.concurrency(concurrency))
    }

    /// The service, handling letters so, and none of them twice.
    pub(super) fn handling<F, Fut>(
        &self,
        service: Service,
        behave: F,
        choose: impl FnOnce(Subscription<LetterPosted>) -> Subscription<LetterPosted>,
    ) -> Service
    where
        F: Fn(LetterPosted, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let plan = Retry::never();
        let handler = self.handler(&plan, behave);
        service.on_with::<LetterPosted>(handler, |subscription| choose(subscription.timeout(LONG).retry(plan)))
    }

    /// Publishes so many letters at once; an answer for each.
    pub(super) async fn post_letters(&self, by: &Publisher, count: usize) -> Vec<Result<MessageId, PublishError>> {
        let posts = (0..count).map(|number| async move { self.post(by, &letter("a", number)).await });
        join_all(posts).await
    }

    /// Publishes so many letters at once, and all of them must be taken.
    pub(super) async fn post_ok(&self, by: &Publisher, count: usize) -> Vec<MessageId> {
        let posted = self.post_letters(by, count).await;
        posted.into_iter().map(|answer| answer.expect("somebody listens")).collect()
    }

    /// Publishes letters until the broker takes one.
    pub(super) async fn post_until_one_is_taken(&self, by: &Publisher) -> MessageId {
        loop {
            if let Ok(id) = self.post(by, &letter("b", 0)).await {
                return id;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Handles a letter once it may.
pub(super) fn once_allowed(
    go: &CancellationToken,
) -> impl Fn(LetterPosted, Context) -> BoxFuture<'static, Result<(), HandlerError>> + use<> {
    let go = go.clone();
    move |_, _| {
        let go = go.clone();
        Box::pin(async move {
            go.cancelled().await;
            Ok(())
        })
    }
}

/// Handles a letter at once.
pub(super) async fn at_once(_: LetterPosted, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

/// The highest attempt that a handler saw.
#[derive(Default)]
pub(super) struct Attempts(Arc<AtomicU32>);

impl Attempts {
    /// Handles a letter at once.
    pub(super) fn noting(&self) -> impl Fn(LetterPosted, Context) -> Ready<Result<(), HandlerError>> + use<> {
        let highest = self.0.clone();
        move |_, ctx| {
            highest.fetch_max(ctx.attempt(), Ordering::SeqCst);
            ready(Ok(()))
        }
    }

    /// None was more than the first, where the transport counts exactly (R4).
    ///
    /// # Panics
    /// One was.
    pub(super) async fn are_uncounted(&self, trial: &Trial, cause: &str) {
        if trial.capabilities().await.exact_attempts {
            assert_eq!(self.0.load(Ordering::SeqCst), 1, "{cause} is no failed attempt");
        }
    }
}
