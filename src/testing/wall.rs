//! A clock of the test's for the schedules of a service.

use crate::{Service, time::Wall};

impl<S: Send + Sync + 'static> Service<S> {
    /// Has its schedules look at this clock.
    pub fn wall(mut self, wall: Wall) -> Self {
        self.parts.wall = Some(wall);
        self
    }
}
