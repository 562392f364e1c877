//! Places for requests: so many are handled at once.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::{exchange::Exchange, server::Shared};

/// The places that are free.
pub(super) struct Slots(AtomicUsize);

/// A request's place; dropped, it is free.
pub(super) struct Slot(Exchange);

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        Self(AtomicUsize::new(count))
    }

    /// A place for this request, if there is one.
    pub(super) fn take(exchange: &Exchange) -> Option<Slot> {
        let free = &exchange.shared().slots.0;
        free.try_update(Relaxed, Relaxed, |free| free.checked_sub(1)).ok()?;
        Some(Slot(exchange.clone()))
    }
}

impl Slot {
    /// What the server knows.
    pub(super) fn shared(&self) -> &Shared {
        self.0.shared()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared().slots.0.fetch_add(1, Relaxed);
    }
}
