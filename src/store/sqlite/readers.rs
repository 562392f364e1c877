//! Connections that read, each on a thread for what blocks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{
    builder::{Settings, ended},
    fault,
};
use crate::{
    lifecycle,
    store::{StoreError, StoreErrorKind},
};

/// How many read at once.
const AT_ONCE: usize = 4;

pub(super) struct Readers {
    settings: Settings,
    free: Arc<Mutex<Vec<Connection>>>,
    room: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, free: Arc::default(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Reads on a connection that nobody else uses meanwhile. Reads are bounded, so is the wait for a connection.
    ///
    /// # Cancel safety
    /// Nothing is lost; a read that has begun goes on without its caller.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = self.room.clone().acquire_owned().await.map_err(|_| self.closed())?;
        let (free, room, settings) = (self.free.clone(), self.room.clone(), self.settings.clone());
        let work = move || {
            let _place = place;
            let known = held(&free).pop();
            let connection = known.map_or_else(|| settings.open(), Ok)?;
            let found = read(&connection).map_err(|error| fault::of(error, &settings.path));
            if !room.is_closed() {
                held(&free).push(connection);
            }
            found
        };
        lifecycle::apart(work).await.unwrap_or_else(|_| Err(ended()))
    }

    /// Lets go of the connections; those in use end with what they are used for.
    pub(super) fn close(&self) {
        self.room.close();
        held(&self.free).clear();
    }

    fn closed(&self) -> StoreError {
        let text = format!("the store in `{}` was closed", self.settings.path.display());
        StoreError::new(StoreErrorKind::Closed, text)
    }
}

fn held(free: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}
