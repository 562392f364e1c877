//! Places for requests: so many are handled at once.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The places that are free.
pub(super) struct Slots(AtomicUsize);

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        Self(AtomicUsize::new(count))
    }

    /// Takes a place, if there is one.
    pub(super) fn take(&self) -> bool {
        self.0.try_update(Relaxed, Relaxed, |free| free.checked_sub(1)).is_ok()
    }

    /// A place is free again.
    pub(super) fn give_back(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}
