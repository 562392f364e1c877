//! Faults that the test suite puts upon a broker in memory.

use super::Memory;

impl Memory {
    /// From now on every queue there is refuses dead letters, as a full one does.
    pub(crate) fn close_dead_letters(&self) {
        self.broker.lock().state.dead.iter_mut().for_each(|dead| dead.capacity = 0);
    }

    /// Every queue takes as many dead letters as it has room for, again.
    pub(crate) fn open_dead_letters(&self) {
        let mut held = self.broker.lock();
        let capacity = held.state.capacity;
        held.state.dead.iter_mut().for_each(|dead| dead.capacity = capacity);
    }
}
