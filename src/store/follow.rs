//! What a query finds, and then what comes.

use std::marker::PhantomData;

use super::{Found, Position, Query, Store, StoreError, handle::PAGE};
use crate::store::EventSet;

/// Events that match, in order, each once: those that are there, and those that come later as they come (E3).
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::orders::v1::OrderPaid;
/// use tegami::store::{Criterion, Position, Store, StoreError};
///
/// async fn print_all(store: Store, checkpoint: Position) -> Result<(), StoreError> {
///     let mut orders = store.follow::<OrderPaid>(Criterion::of::<OrderPaid>(), checkpoint);
///     loop {
///         let found = orders.next().await?;
///         for order in &found.events {
///             println!("{} at {}", order.event.order_id, order.position);
///         }
///         // Here `found.next` is kept, together with what was made of the events.
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Follow<R> {
    store: Store,
    query: Query,
    after: Position,
    events: PhantomData<fn() -> R>,
}

impl<R: EventSet> Follow<R> {
    pub(super) fn new(store: Store, query: Query, after: Position) -> Self {
        Self { store, query, after, events: PhantomData }
    }

    /// The next events, at least one; waits for it.
    ///
    /// # Errors
    /// As [`Store::find`]. The next call tries the same again.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn next(&mut self) -> Result<Found<R>, StoreError> {
        loop {
            let found = self.store.find(self.query.clone(), self.after, PAGE).await?;
            let moved = found.next > self.after;
            self.after = found.next;
            if !found.events.is_empty() {
                return Ok(found);
            }
            if !moved {
                self.store.inner().later_than(self.after).await?;
            }
        }
    }

    /// Up to where it has looked.
    pub fn position(&self) -> Position {
        self.after
    }
}
