//! The user's function for one event type whose effect is a transaction.

use std::future::Future;

use super::{Context, HandlerError};
use crate::event::Event;

/// Handles events of type `E` inside a transaction of type `T`, in a service with state `S`.
///
/// Every `async fn(E, Context<S>, &mut T) -> Result<(), HandlerError>` is one, and every `async` closure that takes the same
/// and captures nothing. What it needs is the service's state; or implement it for a type of your own.
///
/// After `Ok` the transaction is committed, and with it that the message was handled; after an error it is undone.
///
/// # Cancel safety
/// As [`Handler`](super::Handler); the transaction is then undone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transactional handler for event `{E}`",
    label = "not a transactional handler for `{E}`",
    note = "it is an `async fn(event: {E}, ctx: Context<{S}>, tx: &mut {T}) -> Result<(), HandlerError>`",
    note = "its future must be `Send`: hold no `Rc`, `RefCell` borrow or `MutexGuard` across an `.await`"
)]
pub trait TransactionalHandler<E: Event, S, T>: Send + Sync + 'static {
    /// Handles one event.
    fn call(&self, event: E, ctx: Context<S>, tx: &mut T) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// A function whose future borrows the transaction, for one lifetime of it.
///
/// All that it takes is one type, a tuple: nobody else can then implement this for a type of tegami's, and so such a type can
/// be a handler of whatever event.
trait Borrows<Taken> {
    type Future: Future<Output = Result<(), HandlerError>> + Send;

    fn begin(&self, taken: Taken) -> Self::Future;
}

impl<'a, E, S, T: 'a, F, Fut> Borrows<(E, Context<S>, &'a mut T)> for F
where
    F: Fn(E, Context<S>, &'a mut T) -> Fut,
    Fut: Future<Output = Result<(), HandlerError>> + Send,
{
    type Future = Fut;

    fn begin(&self, (event, ctx, tx): (E, Context<S>, &'a mut T)) -> Fut {
        self(event, ctx, tx)
    }
}

impl<E, S, T, F> TransactionalHandler<E, S, T> for F
where
    E: Event,
    T: 'static,
    F: for<'a> Borrows<(E, Context<S>, &'a mut T)> + Send + Sync + 'static,
{
    fn call(&self, event: E, ctx: Context<S>, tx: &mut T) -> impl Future<Output = Result<(), HandlerError>> + Send {
        self.begin((event, ctx, tx))
    }
}
