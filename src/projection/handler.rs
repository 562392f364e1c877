//! The user's function for one event type of a projection, and the one that clears what a projection has made.

use std::future::Future;

use crate::{error::BoxError, event::Event, store::Stored};

/// Makes read state of events of type `E`, inside a transaction of type `T`.
///
/// Every `async fn(Stored<E>, &mut T) -> Result<(), BoxError>` is one, and every `async` closure that takes the same and
/// captures nothing. What it needs besides, a type of your own has, for which you implement this.
///
/// After `Ok` the transaction is committed, sooner or later, and with it that the event was handled; after an error all of
/// it is undone, and the event comes again. It may come again after `Ok`, too, if the transaction is undone: what it does
/// outside the transaction may be done twice.
///
/// # Cancel safety
/// It may be dropped at any `.await`; the transaction is then undone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of a projection for event `{E}`",
    label = "not a handler for `{E}`",
    note = "it is an `async fn(event: Stored<{E}>, tx: &mut {T}) -> Result<(), BoxError>`",
    note = "its future must be `Send`: hold no `Rc`, `RefCell` borrow or `MutexGuard` across an `.await`"
)]
pub trait Handler<E: Event, T>: Send + Sync + 'static {
    /// Handles one event.
    fn call(&self, event: Stored<E>, tx: &mut T) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// A function whose future borrows the transaction, for one lifetime of it.
trait Borrows<'a, E, T: 'a> {
    type Future: Future<Output = Result<(), BoxError>> + Send;

    fn begin(&self, event: Stored<E>, tx: &'a mut T) -> Self::Future;
}

impl<'a, E, T: 'a, F, Fut> Borrows<'a, E, T> for F
where
    F: Fn(Stored<E>, &'a mut T) -> Fut,
    Fut: Future<Output = Result<(), BoxError>> + Send,
{
    type Future = Fut;

    fn begin(&self, event: Stored<E>, tx: &'a mut T) -> Fut {
        self(event, tx)
    }
}

impl<E, T, F> Handler<E, T> for F
where
    E: Event,
    T: 'static,
    F: for<'a> Borrows<'a, E, T> + Send + Sync + 'static,
{
    fn call(&self, event: Stored<E>, tx: &mut T) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.begin(event, tx)
    }
}

/// Clears what a projection has made, inside a transaction of type `T`.
///
/// Every `async fn(&mut T) -> Result<(), BoxError>` is one, and every `async` closure that takes the same and captures
/// nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not clear what a projection has made",
    label = "not an `async fn(tx: &mut {T}) -> Result<(), BoxError>`"
)]
pub trait Clear<T>: Send + Sync + 'static {
    /// Clears it.
    fn clear(&self, tx: &mut T) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// The same as [`Borrows`], without an event.
trait BorrowsAlone<'a, T: 'a> {
    type Future: Future<Output = Result<(), BoxError>> + Send;

    fn begin(&self, tx: &'a mut T) -> Self::Future;
}

impl<'a, T: 'a, F, Fut> BorrowsAlone<'a, T> for F
where
    F: Fn(&'a mut T) -> Fut,
    Fut: Future<Output = Result<(), BoxError>> + Send,
{
    type Future = Fut;

    fn begin(&self, tx: &'a mut T) -> Fut {
        self(tx)
    }
}

impl<T: 'static, F> Clear<T> for F
where
    F: for<'a> BorrowsAlone<'a, T> + Send + Sync + 'static,
{
    fn clear(&self, tx: &mut T) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.begin(tx)
    }
}
