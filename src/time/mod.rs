//! The clock and the dice: the only place that reads the wall clock or draws a random number.
//!
//! Everything else is handed a [`Clock`] or a [`Dice`], so that a test decides what time it is and how the
//! dice fall.

pub(crate) mod epoch;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep_until};

use self::epoch::milliseconds;

/// How long to wait before asking a transport again, at first and at most (N2). With what chance adds to it, a
/// transport that came back is used again within 5 s (N1).
const BACKOFF: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3)];

/// Longer than anything that ends: what a time becomes that is too long for a clock to show its end.
pub(crate) const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

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

/// The time of day as it is told at each look: it may jump, where a [`Clock`] goes on evenly. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Wall {
    /// Moves with tokio's clock instead of the machine's.
    clock: Option<Clock>,
    /// Milliseconds that it was put forward, or back.
    jumped: Arc<AtomicI64>,
}

impl Wall {
    /// The machine's.
    pub fn system() -> Self {
        Self::default()
    }

    /// One that follows this clock, for tests: it jumps only when it is told to.
    pub fn following(clock: Clock) -> Self {
        Self { clock: Some(clock), jumped: Arc::default() }
    }

    /// The time of day.
    pub fn now(&self) -> SystemTime {
        let now = self.clock.map_or_else(SystemTime::now, |clock| clock.now());
        let jumped = self.jumped.load(Ordering::Relaxed);
        let by = Duration::from_millis(jumped.unsigned_abs());
        let shown = if jumped < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        shown.unwrap_or(now)
    }

    /// Puts it forward.
    pub fn forward(&self, by: Duration) {
        self.jumped.fetch_add(milliseconds(by), Ordering::Relaxed);
    }

    /// Puts it back.
    pub fn back(&self, by: Duration) {
        self.jumped.fetch_sub(milliseconds(by), Ordering::Relaxed);
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

    /// The longest that [`lengthen`](Self::lengthen) answers with.
    pub(crate) fn longest(duration: Duration) -> Duration {
        duration.saturating_add(duration / 4)
    }

    /// A part of the duration, any.
    pub fn part_of(&self, duration: Duration) -> Duration {
        duration.mul_f64(self.roll(|rng| rng.f64()))
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

/// Waits until then; for ever, if there is no such time.
pub(crate) async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// How long to wait after this many failures in a row: doubling, and spread out by chance.
pub(crate) fn backoff(failures: u32, dice: &Dice) -> Duration {
    let [first, most] = BACKOFF;
    let step = first.saturating_mul(1 << failures.saturating_sub(1).min(16));
    dice.lengthen(step.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_w1_chance_only_lengthens_by_a_quarter_at_most_and_spreads_over_all_of_it() {
        let (dice, hour) = (Dice::seeded(7), Duration::from_secs(3600));
        let mut drawn: Vec<_> = (0..1_000).map(|_| dice.lengthen(hour)).collect();
        drawn.sort();
        assert!((hour..=hour + hour / 4).contains(&drawn[0]) && drawn[999] <= hour + hour / 4, "{drawn:?}");
        // Each tenth of the band has its share of them, so that what began together does not end together.
        for tenth in 0..10 {
            let (from, to) = (hour + hour * tenth / 40, hour + hour * (tenth + 1) / 40);
            let count = drawn.iter().filter(|drawn| (from..to).contains(*drawn)).count();
            assert!((50..200).contains(&count), "{count} from {from:?} to {to:?}");
        }
        drawn.dedup();
        assert!(drawn.len() > 990, "{} differ", drawn.len());
        assert_eq!(Dice::seeded(7).lengthen(hour), Dice::seeded(7).lengthen(hour), "a seed replays");
        assert_eq!(dice.lengthen(Duration::ZERO), Duration::ZERO);
        assert_eq!(dice.lengthen(Duration::MAX), Duration::MAX, "and nothing overflows");
    }

    #[test]
    fn n1_n2_backoff_grows_from_100_ms_and_is_never_longer_than_5_s() {
        let dice = Dice::seeded(7);
        let (least, most) = (Duration::from_millis(100), Duration::from_secs(5));
        let delays: Vec<_> = (1..1_000).map(|failures| backoff(failures, &dice)).collect();
        assert!(delays.iter().all(|delay| (least..=most).contains(delay)), "{delays:?}");
        assert!(delays[0] < 2 * least && delays.iter().max() > Some(&Duration::from_secs(3)), "{delays:?}");
    }
}
