//! A service whose time and chance a test decides, so that the same seed makes it do the same again.

use crate::{
    Service,
    time::{Clock, Dice},
};

impl<S: Send + Sync + 'static> Service<S> {
    /// Takes the time of day from this clock. Default: one that starts at the machine's time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.parts.clock = Some(clock);
        self
    }

    /// Draws ids and jitter from these dice. Default: dice seeded by the machine.
    pub fn dice(mut self, dice: Dice) -> Self {
        self.parts.dice = Some(dice);
        self
    }
}
