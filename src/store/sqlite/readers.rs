//! Connections that read, each on a thread for what blocks.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::Connection;
use tokio::{sync::Semaphore, time::timeout};

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
/// How long to wait for one of these places.
const FOR_PLACE: Duration = Duration::from_secs(5);

pub(super) struct Readers {
    settings: Settings,
    free: Arc<Mutex<Vec<Connection>>>,
    room: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, free: Arc::default(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Reads on a connection that nobody else uses meanwhile; waits for one for 5 s.
    ///
    /// # Errors
    /// `Busy`: there was none in time.
    ///
    /// # Cancel safety
    /// Nothing is lost; a read that has begun goes on without its caller.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = timeout(FOR_PLACE, self.room.clone().acquire_owned()).await;
        let place = place.map_err(|_| self.crowded())?.map_err(|_| fault::closed(&self.settings.path))?;
        let (free, room, settings) = (self.free.clone(), self.room.clone(), self.settings.clone());
        lifecycle::to_work().await;
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
        lifecycle::work(work).await.unwrap_or_else(|| Err(ended()))
    }

    /// Lets go of the connections; those in use end with what they are used for.
    pub(super) fn close(&self) {
        self.room.close();
        held(&self.free).clear();
    }

    fn crowded(&self) -> StoreError {
        let path = self.settings.path.display();
        let text =
            format!("{AT_ONCE} reads of `{path}` were under way for {FOR_PLACE:?}, which is as many as there may be");
        StoreError::new(StoreErrorKind::Busy, text)
    }
}

fn held(free: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_read_waits_for_a_place_and_not_for_ever() {
        let readers = Readers::new(Settings::of("nowhere.db".into()));
        let others = readers.room.clone().acquire_many_owned(AT_ONCE as u32).await.expect("they are free");
        let refused = readers.read(|_| Ok(())).await.expect_err("there is no place");
        assert_eq!(refused.kind(), StoreErrorKind::Busy, "{refused}");
        drop(others);
        readers.close();
        let refused = readers.read(|_| Ok(())).await.expect_err("it is closed");
        assert_eq!(refused.kind(), StoreErrorKind::Closed, "{refused}");
    }
}
