//! The user's function for one event type, and what it gets and answers.

mod context;
mod error;
mod transactional;

pub use context::Context;
pub(crate) use context::Facts;
pub use error::HandlerError;
pub(crate) use error::Verdict;
pub use transactional::TransactionalHandler;

use std::future::Future;

use crate::event::Event;

/// Handles events of type `E` in a service with state `S`.
///
/// Every `async fn(E, Context<S>) -> Result<(), HandlerError>` is a handler. Implement it for a type of your own
/// when the handler has parts to keep.
///
/// # Cancel safety
/// The future is dropped at its next await when the subscription's timeout is over, or 5 s after the service was forced to
/// stop or the connection that brought the delivery was lost; the delivery then comes back.
/// [`Context::cancelled`] tells before that.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler for event `{E}`",
    label = "not a handler for `{E}`",
    note = "a handler is an `async fn(event: {E}, ctx: Context<{S}>) -> Result<(), HandlerError>`",
    note = "its future must be `Send`: hold no `Rc`, `RefCell` borrow or `MutexGuard` across an `.await`"
)]
pub trait Handler<E: Event, S = ()>: Send + Sync + 'static {
    /// Handles one event.
    fn call(&self, event: E, ctx: Context<S>) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

impl<E, S, F, Fut> Handler<E, S> for F
where
    E: Event,
    F: Fn(E, Context<S>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), HandlerError>> + Send,
{
    fn call(&self, event: E, ctx: Context<S>) -> impl Future<Output = Result<(), HandlerError>> + Send {
        self(event, ctx)
    }
}
