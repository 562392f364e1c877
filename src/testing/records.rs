//! A subscription to a store whose time and chance a test decides.

use crate::{
    records::{Queues, Records},
    time::{Clock, Dice, Wall},
};

impl<D: Queues> Records<D> {
    /// Counts delays by this clock. Default: one that starts at the machine's time.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Looks at this clock for the time of day. Default: the machine's.
    #[must_use]
    pub fn wall(mut self, wall: Wall) -> Self {
        self.wall = wall;
        self
    }

    /// Draws ids and jitter from these dice. Default: dice seeded by the machine.
    #[must_use]
    pub fn dice(mut self, dice: Dice) -> Self {
        self.dice = dice;
        self
    }
}
