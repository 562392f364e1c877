//! The user's functions at the turns of a service's life.
//!
//! The order is: before start, *the transport is prepared*, started, *deliveries flow*, *a stop is asked for*,
//! stopping (beside the drain), *the last handler ended*, stopped. Stopping and stopped also run when the start
//! failed, so that what was opened can be closed.

use std::{fmt, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;

use super::{Error, ErrorKind};
use crate::{
    error::{BoxError, panic_text},
    lifecycle::Stop,
    middleware::BoxFuture,
    publisher::Publisher,
};

/// What a lifecycle hook gets: the service's state, its publisher, and a way to stop it.
pub struct Handle<S = ()> {
    state: Arc<S>,
    publisher: Publisher,
    stop: Stop,
}

impl<S> Handle<S> {
    /// The service's state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The service's publisher. Before the transport is prepared, a publish waits for it, and a hook that waits for
    /// the publish waits in vain.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Asks the service to stop, as SIGTERM would.
    pub fn stop(&self) {
        self.stop.request(0);
    }

    /// Asks the service to stop, and its process to end with this code.
    pub fn exit(&self, code: u8) {
        self.stop.request(code);
    }
}

impl<S> Clone for Handle<S> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), publisher: self.publisher.clone(), stop: self.stop.clone() }
    }
}

impl<S> fmt::Debug for Handle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl<S> Handle<S> {
    pub(super) fn new(state: Arc<S>, publisher: Publisher, stop: Stop) -> Self {
        Self { state, publisher, stop }
    }
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    BeforeStart,
    Started,
    Stopping,
    Stopped,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Turn::BeforeStart => "before start",
            Turn::Started => "started",
            Turn::Stopping => "stopping",
            Turn::Stopped => "stopped",
        })
    }
}

type Hook = Box<dyn FnOnce(Publisher, Stop) -> BoxFuture<Result<(), BoxError>> + Send>;

/// The hooks of one service, in the order they were given.
#[derive(Default)]
pub(crate) struct Hooks(Vec<(Turn, Hook)>);

impl Hooks {
    pub(crate) fn add<S, F, Fut, E>(&mut self, turn: Turn, state: Arc<S>, hook: F)
    where
        S: Send + Sync + 'static,
        F: FnOnce(Handle<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let hook: Hook = Box::new(move |publisher, stop| {
            let ending = hook(Handle::new(state, publisher, stop));
            Box::pin(async move { ending.await.map_err(Into::into) })
        });
        self.0.push((turn, hook));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Runs the hooks of this turn, one after the other, all of them; returns the first error.
    pub(crate) async fn run(
        &mut self,
        turn: Turn,
        limit: Option<Duration>,
        publisher: &Publisher,
        stop: &Stop,
    ) -> Result<(), Error> {
        let (due, rest) = std::mem::take(&mut self.0).into_iter().partition(|(when, _)| *when == turn);
        self.0 = rest;
        let due: Vec<(Turn, Hook)> = due;
        let running = run_all(due, publisher, stop);
        let verdict = match limit {
            None => running.await,
            Some(limit) => {
                let late = |_| Err(format!("not done after {limit:?}").into());
                tokio::time::timeout(limit, running).await.unwrap_or_else(late)
            }
        };
        verdict.map_err(|error| Error::new(ErrorKind::Hook, format!("the hook `{turn}` failed")).caused_by(error))
    }
}

/// Runs each hook; a panic must not keep the others, the drain or the closing from happening.
async fn run_all(due: Vec<(Turn, Hook)>, publisher: &Publisher, stop: &Stop) -> Result<(), BoxError> {
    let mut verdict = Ok(());
    for (_, hook) in due {
        let ending = async { hook(publisher.clone(), stop.clone()).await };
        let ended = AssertUnwindSafe(ending).catch_unwind().await;
        verdict = verdict.and(ended.unwrap_or_else(|panic| Err(panic_text(&*panic).into())));
    }
    verdict
}
