//! Steps around a piece of work: the same trait for what is consumed and for what is published.
//!
//! A middleware gets the work and the [`Next`] step; it may look, change the work, answer by itself, or look at
//! the answer. The first one added is the outermost. This module knows nothing of messaging: what the work is,
//! its owner says by implementing [`Work`].
//!
//! ```
//! use tegami::{Service, middleware::{Next, from_fn}, pipeline::Incoming};
//!
//! let service = Service::new("billing").middleware(from_fn(|work: Incoming, next: Next<Incoming>| async move {
//!     let event = work.event();
//!     let answer = next.run(work).await;
//!     println!("{event}: {}", if answer.is_ok() { "done" } else { "failed" });
//!     answer
//! }));
//! ```

mod layer;

pub use layer::{Step, StepService, from_layer};

use std::{future::Future, pin::Pin, sync::Arc};

use crate::error::BoxError;

/// A future on the heap, as middleware returns it.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A piece of work that middleware can stand around.
pub trait Work: Send + Sized + 'static {
    /// The answer when it went well.
    type Done: Send + 'static;
    /// The answer when it did not.
    type Error: Send + 'static;

    /// The error for a failure that the middleware itself brought.
    fn failed(error: BoxError) -> Self::Error;
}

/// How a piece of work ended.
pub type Answer<W> = Result<<W as Work>::Done, <W as Work>::Error>;

/// One step around a piece of work.
///
/// Implementations MUST answer for the work if they do not call [`Next::run`]. A copy of `Next` does the work again.
/// The future may be dropped at any await, when the work's time is up.
pub trait Middleware<W: Work>: Send + Sync + 'static {
    /// Does the step, the rest of the way included.
    fn call(&self, work: W, next: Next<W>) -> BoxFuture<Answer<W>>;
}

/// A middleware from an async function or closure.
pub fn from_fn<W, F, Fut>(step: F) -> impl Middleware<W>
where
    W: Work,
    F: Fn(W, Next<W>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer<W>> + Send + 'static,
{
    FromFn(step)
}

struct FromFn<F>(F);

impl<W, F, Fut> Middleware<W> for FromFn<F>
where
    W: Work,
    F: Fn(W, Next<W>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer<W>> + Send + 'static,
{
    fn call(&self, work: W, next: Next<W>) -> BoxFuture<Answer<W>> {
        Box::pin((self.0)(work, next))
    }
}

/// All the steps of one kind of work, ending in the work itself.
pub(crate) struct Chain<W: Work> {
    steps: Vec<Arc<dyn Middleware<W>>>,
    end: Box<dyn Fn(W) -> BoxFuture<Answer<W>> + Send + Sync>,
}

impl<W: Work> Chain<W> {
    pub(crate) fn new(
        steps: Vec<Arc<dyn Middleware<W>>>,
        end: impl Fn(W) -> BoxFuture<Answer<W>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { steps, end: Box::new(end) })
    }

    pub(crate) fn run(self: &Arc<Self>, work: W) -> BoxFuture<Answer<W>> {
        Next { chain: self.clone(), place: 0 }.run(work)
    }
}

/// The rest of the way.
pub struct Next<W: Work> {
    chain: Arc<Chain<W>>,
    place: usize,
}

impl<W: Work> Clone for Next<W> {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), place: self.place }
    }
}

impl<W: Work> Next<W> {
    /// Goes on with the work.
    pub fn run(self, work: W) -> BoxFuture<Answer<W>> {
        match self.chain.steps.get(self.place).cloned() {
            Some(step) => step.call(work, Next { chain: self.chain, place: self.place + 1 }),
            None => (self.chain.end)(work),
        }
    }
}
