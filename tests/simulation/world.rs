//! One simulated world: its time, its chance, its trace, and the model that every step is held against.

use std::{
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tegami::time::{Clock, Dice, Wall};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    happened::{Happened, Ticked},
    model::{Figures, Model},
    run::Outcome,
    trace::Trace,
};

/// What everything in one simulation shares.
pub struct World {
    pub clock: Clock,
    /// The clock on everybody's wall.
    pub shown: Wall,
    /// Do services learn that the broker took a delivery back?
    pub tells_losses: bool,
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
    calm: bool,
    up: Option<Instant>,
    open: Option<Instant>,
    verdict: Result<(), String>,
}

impl World {
    pub fn new(model: Model, rng: fastrand::Rng, (rage, tells_losses): (u64, bool)) -> Self {
        let (trace, verdict) = (Trace::default(), Ok(()));
        let state = State { model, trace, rng, rage, tags: 0, letters: 0, calm: false, up: None, open: None, verdict };
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000));
        Self {
            clock,
            shown: Wall::following(clock),
            tells_losses,
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

    /// What it was worth so far.
    pub fn figures(&self) -> Figures {
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

    /// Is on its way to a database or back, which may take long; for ever short once nothing goes wrong.
    pub async fn travel(&self) {
        if self.is_calm() {
            return;
        }
        self.sleep(0..5).await;
        if self.strikes(5) {
            self.sleep(0..8_000).await;
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
        self.note(Happened::Ticked(Ticked::Calm { wall: self.wall() }));
        let mut state = self.state();
        (state.rage, state.calm) = (0, true);
    }

    /// Does nothing go wrong any more?
    pub fn is_calm(&self) -> bool {
        self.state().calm
    }

    /// The broker is away for this long.
    pub fn goes_down(&self, lasts: Duration) {
        self.state().up = Some(Instant::now() + lasts);
    }

    /// Is the broker away?
    pub fn is_down(&self) -> bool {
        self.state().up.is_some_and(|up| Instant::now() < up)
    }

    /// The database is away for this long.
    pub fn shuts(&self, lasts: Duration) {
        self.state().open = Some(Instant::now() + lasts);
    }

    /// Is the database away?
    pub fn is_shut(&self) -> bool {
        self.state().open.is_some_and(|open| Instant::now() < open)
    }

    /// How long after the beginning that is.
    pub fn since(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.began)
    }

    /// What the clock on the wall shows.
    pub fn wall(&self) -> u64 {
        millis(self.shown.now())
    }
}

/// Milliseconds since 1970.
pub fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("no clock here goes back that far");
    u64::try_from(since.as_millis()).expect("no clock here goes forward that far")
}
