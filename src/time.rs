//! The clock and the dice: the only place that reads the wall clock or draws a random number.
//!
//! Everything else is handed a [`Clock`] or a [`Dice`], so that a test decides what time it is and how the
//! dice fall.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

/// Wall-clock time that moves with tokio's clock, so paused time pauses it too.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: SystemTime,
    started: Instant,
}

impl Clock {
    /// A clock that starts at the machine's time.
    pub fn system() -> Self {
        Self::starting_at(SystemTime::now())
    }

    /// A clock that starts at the given time.
    pub fn starting_at(wall: SystemTime) -> Self {
        Self { wall, started: Instant::now() }
    }

    /// The moment on tokio's clock, to count delays from.
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    /// The time of day at that moment.
    pub fn wall(&self, instant: Instant) -> SystemTime {
        self.wall + instant.saturating_duration_since(self.started)
    }

    /// The time of day.
    pub fn now(&self) -> SystemTime {
        self.wall + self.started.elapsed()
    }
}

/// Random numbers, from the machine or from a seed.
#[derive(Debug, Clone)]
pub struct Dice(Arc<Mutex<fastrand::Rng>>);

impl Dice {
    /// Dice seeded by the machine.
    pub fn system() -> Self {
        Self::seeded(uuid::Uuid::new_v4().as_u64_pair().0)
    }

    /// Dice that fall the same way for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// The duration, lengthened by up to a quarter (R2: jitter only lengthens).
    pub fn lengthen(&self, duration: Duration) -> Duration {
        duration.saturating_add((duration / 4).mul_f64(self.roll(|rng| rng.f64())))
    }

    /// A random UUID.
    pub fn uuid(&self) -> uuid::Uuid {
        let bytes = self.roll(|rng| rng.u128(..)).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    fn roll<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().expect("no panic happens while the dice are held"))
    }
}
