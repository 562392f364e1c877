//! Places for connections: so many in all, and so many for each address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who is connected.
#[derive(Clone)]
pub(super) struct Guests {
    seats: Arc<Semaphore>,
    each: usize,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place; dropped, it is free.
pub(super) struct Place {
    _seat: OwnedSemaphorePermit,
    counted: Option<(Guests, IpAddr)>,
}

impl Guests {
    pub(super) fn new(all: usize, each: usize) -> Self {
        Self { seats: Arc::new(Semaphore::new(all)), each, by_address: Arc::default() }
    }

    /// Waits until there is room for one more.
    pub(super) async fn seat(&self) -> OwnedSemaphorePermit {
        self.seats.clone().acquire_owned().await.expect("the seats are never closed")
    }

    /// The place of one whose address is not counted.
    pub(super) fn proxy(seat: OwnedSemaphorePermit) -> Place {
        Place { _seat: seat, counted: None }
    }

    /// The place of one from this address, if that has not got all it may have.
    pub(super) fn place(&self, seat: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let mut taken = self.taken();
        let count = taken.entry(address).or_default();
        if *count >= self.each {
            return None;
        }
        *count += 1;
        Some(Place { _seat: seat, counted: Some((self.clone(), address)) })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_address.lock().expect("no panic happens while the places are held")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((guests, address)) = &self.counted else { return };
        let mut taken = guests.taken();
        let Some(count) = taken.get_mut(address) else { return };
        *count -= 1;
        if *count == 0 {
            taken.remove(address);
        }
    }
}
