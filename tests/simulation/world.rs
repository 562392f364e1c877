//! One simulated world: its time, its chance, its trace, and the model that every step is held against.

use std::{
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tegami::time::{Clock, Dice};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{happened::Happened, model::Model, run::Outcome, trace::Trace};

/// What everything in one simulation shares.
pub struct World {
    pub clock: Clock,
    began: Instant,
    /// Set once a promise is broken.
    broken: CancellationToken,
    state: Mutex<State>,
}

struct State {
    model: Model,
    trace: Trace,
    rng: fastrand::Rng,
    /// How often what can go wrong does, in percent of its own chance.
    rage: u64,
    tags: u64,
    letters: u64,
    up: Option<Instant>,
    verdict: Result<(), String>,
}

impl World {
    pub fn new(model: Model, rng: fastrand::Rng, rage: u64) -> Self {
        let state = State { model, trace: Trace::default(), rng, rage, tags: 0, letters: 0, up: None, verdict: Ok(()) };
        Self {
            clock: Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)),
            began: Instant::now(),
            broken: CancellationToken::new(),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a step and holds it against the model. What comes after the first broken promise is not looked at.
    pub fn note(&self, happened: Happened) {
        let now = self.began.elapsed();
        let mut state = self.state();
        if state.verdict.is_err() {
            return;
        }
        state.trace.write(now, &happened);
        if let Err(broken) = state.model.see(now, &happened) {
            state.trace.blame(happened.number());
            drop(state);
            self.fail(format!("{broken}, at: {happened}"));
        }
    }

    /// Notes something that no model knows.
    pub fn fault(&self, what: impl Into<String>) {
        self.note(Happened::Fault { what: what.into() });
    }

    /// Ends the simulation with a broken promise.
    pub fn fail(&self, broken: String) {
        let mut state = self.state();
        if state.verdict.is_ok() {
            state.verdict = Err(broken);
        }
        self.broken.cancel();
    }

    /// Ends once a promise is broken.
    pub async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// How many messages were stored, completed and given up on.
    pub fn figures(&self) -> [usize; 3] {
        self.state().model.figures()
    }

    /// Looks at what is left at the end, and gives everything out.
    pub fn end(&self) -> Outcome {
        let mut state = self.state();
        if state.verdict.is_ok() {
            state.verdict = state.model.end().map_err(|(broken, number)| {
                state.trace.blame(number);
                broken
            });
        }
        let (trace, figures) = (std::mem::take(&mut state.trace), state.model.figures());
        Outcome { trace, verdict: state.verdict.clone(), figures }
    }

    /// Does a fault of this chance, in percent, strike?
    pub fn strikes(&self, percent: u64) -> bool {
        let mut state = self.state();
        let rage = state.rage;
        state.rng.u64(0..10_000) < percent * rage
    }

    /// A number from this range.
    pub fn draw(&self, range: Range<u64>) -> u64 {
        self.state().rng.u64(range)
    }

    /// A time of so many milliseconds.
    pub fn millis(&self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.draw(range))
    }

    /// Waits that long. No time is no wait at all.
    pub async fn sleep(&self, range: Range<u64>) {
        let time = self.millis(range);
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }

    /// Ends the simulation if this does not hold.
    pub fn must(&self, holds: bool, broken: &str) {
        if !holds {
            self.fail(broken.to_owned());
        }
    }

    /// Dice for a service.
    pub fn dice(&self) -> Dice {
        Dice::seeded(self.state().rng.u64(..))
    }

    /// A number that nothing else in this world has.
    pub fn number(&self) -> u64 {
        let mut state = self.state();
        state.tags += 1;
        state.tags
    }

    /// The number of the next letter.
    pub fn letter(&self) -> u64 {
        let mut state = self.state();
        state.letters += 1;
        state.letters
    }

    /// From now on nothing goes wrong by chance.
    pub fn calm(&self) {
        self.fault("the faults stop");
        self.state().rage = 0;
    }

    /// The broker is away for this long.
    pub fn goes_down(&self, lasts: Duration) {
        self.state().up = Some(Instant::now() + lasts);
    }

    /// Is the broker away?
    pub fn is_down(&self) -> bool {
        self.state().up.is_some_and(|up| Instant::now() < up)
    }
}
