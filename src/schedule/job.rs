//! The user's function with its schedule, its name and its choices; and all of them of one service.

use std::{
    any::type_name,
    collections::BTreeSet,
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    Overlap, Report, Schedule, ScheduleError, ScheduleErrorKind, ScheduleOptions, Tick,
    history::History,
    keys::{Settings, keys},
    lease::{LeaseStore, MemoryLeases},
    options::Reach,
    plan::Plan,
    runner::Runner,
    tick::Facts,
};
use crate::{
    config::Config,
    handler::HandlerError,
    lifecycle::{Lifecycle, Stop, Watch},
    middleware::BoxFuture,
    publisher::Publisher,
    time::{Clock, Dice, Wall},
};

/// How long a run may take, unless its schedule says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// The longest name.
const NAME_LIMIT: usize = 128;

/// Runs at the ticks of a schedule, in a service with state `S`.
///
/// Every `async fn(Tick<S>) -> Result<(), HandlerError>` does. An error ends the run; nothing is tried again before the
/// next tick.
///
/// # Cancel safety
/// The future is dropped at its next await when its timeout is over, when the service is forced to stop, and when
/// another replica has the run's lease.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run by a schedule",
    label = "not a function of a tick",
    note = "a schedule runs an `async fn(tick: Tick<{S}>) -> Result<(), HandlerError>`",
    note = "its future must be `Send`: hold no `Rc`, `RefCell` borrow or `MutexGuard` across an `.await`"
)]
pub trait OnTick<S = ()>: Send + Sync + 'static {
    /// Runs once.
    fn call(&self, tick: Tick<S>) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

impl<S, F, Fut> OnTick<S> for F
where
    F: Fn(Tick<S>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), HandlerError>> + Send,
{
    fn call(&self, tick: Tick<S>) -> impl Future<Output = Result<(), HandlerError>> + Send {
        self(tick)
    }
}

type Call = Arc<dyn Fn(Facts) -> BoxFuture<Result<(), HandlerError>> + Send + Sync>;

/// One schedule of a service.
#[derive(Clone)]
pub(crate) struct Job {
    pub(super) name: Arc<str>,
    pub(super) plan: Plan,
    pub(super) options: Arc<ScheduleOptions>,
    pub(super) call: Call,
    pub(super) history: History,
}

/// All schedules of a service.
#[derive(Default)]
pub(crate) struct Schedules {
    jobs: Vec<Job>,
    leases: Option<Arc<dyn LeaseStore>>,
    /// The first mistake.
    mistake: Option<ScheduleError>,
}

/// What the schedules of a service share.
pub(crate) struct Crew {
    pub(crate) service: Arc<str>,
    /// No other replica has it.
    pub(crate) instance: String,
    pub(crate) publisher: Publisher,
    pub(crate) stop: Stop,
    pub(crate) watch: Watch,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) clock: Clock,
    pub(crate) wall: Wall,
    pub(crate) dice: Dice,
}

impl Crew {
    /// The moment on tokio's clock.
    pub(super) fn instant(&self) -> tokio::time::Instant {
        self.clock.instant()
    }
}

impl Schedules {
    /// Adds one; what is wrong with it is told by [`check`](Self::check).
    pub(crate) fn add<S, H>(&mut self, schedule: Schedule, handler: H, state: Arc<S>, options: ScheduleOptions)
    where
        S: Send + Sync + 'static,
        H: OnTick<S>,
    {
        let name = options.name.clone().unwrap_or_else(|| name_of::<H>(&schedule));
        let handler = Arc::new(handler);
        let call: Call = Arc::new(move |facts| {
            let (handler, tick) = (handler.clone(), Tick::new(facts, state.clone()));
            Box::pin(async move { handler.call(tick).await })
        });
        match self.checked(&name, schedule, &options) {
            Ok((plan, history)) => {
                self.jobs.push(Job { name: name.into(), plan, options: Arc::new(options), call, history });
            }
            Err(error) => drop(self.mistake.get_or_insert(error)),
        }
    }

    /// Keeps the leases here.
    pub(crate) fn keep_in(&mut self, leases: Arc<dyn LeaseStore>) {
        self.leases = Some(leases);
    }

    /// Gives them the zone of the settings; then the first mistake in any of them.
    pub(crate) fn check(&mut self, now: SystemTime, config: &Config) -> Result<(), ScheduleError> {
        self.mistake.take().map_or(Ok(()), Err)?;
        let Settings { zone } = keys().read(config);
        for job in &mut self.jobs {
            job.plan.zone.get_or_insert_with(|| zone.clone());
        }
        self.jobs.iter().try_for_each(|job| job.check_jitter(now))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.mistake.is_none()
    }

    /// Starts them; gives what tells of them.
    pub(crate) fn start(self, crew: Crew) -> Histories {
        let leases = self.leases.unwrap_or_else(|| Arc::new(MemoryLeases::new()));
        let (crew, mut histories) = (Arc::new(crew), Vec::new());
        for job in self.jobs {
            histories.push(job.history.clone());
            let shared = match job.options.reach {
                Reach::OneOfAll => leases.clone(),
                Reach::EachInstance => Arc::new(MemoryLeases::new()),
            };
            crew.lifecycle.spawn(Runner::new(job, crew.clone(), shared).run());
        }
        Histories(histories)
    }

    fn checked(
        &self,
        name: &str,
        schedule: Schedule,
        options: &ScheduleOptions,
    ) -> Result<(Plan, History), ScheduleError> {
        let wrong = |text: String| {
            let text = format!("schedule `{}` {text}", name.escape_debug());
            ScheduleError::new(ScheduleErrorKind::Setting, text)
        };
        if !(1..=NAME_LIMIT).contains(&name.len()) || name.bytes().any(|c| !(b' '..=b'~').contains(&c)) {
            return Err(wrong(format!("has a name of other than 1 to {NAME_LIMIT} printable characters of ASCII")));
        }
        let known: BTreeSet<&str> = self.jobs.iter().map(|job| &*job.name).collect();
        if known.contains(name) {
            return Err(wrong("is there twice: give one of them a `.name(…)` of its own".to_owned()));
        }
        if options.overlap == Overlap::Parallel(0) {
            return Err(wrong("is asked to have 0 runs at once: nothing would ever run".to_owned()));
        }
        if options.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(wrong("has a timeout of 0: it could never end in time".to_owned()));
        }
        let history = History::of(name, schedule.to_string());
        let plan = schedule.plan.map_err(|error| {
            let text = format!("schedule `{name}` is wrong: {error}");
            ScheduleError::new(error.kind(), text)
        })?;
        Ok((plan, history))
    }
}

impl Job {
    /// Refuses a jitter that would make ticks wait for each other.
    fn check_jitter(&self, now: SystemTime) -> Result<(), ScheduleError> {
        let (name, jitter) = (&*self.name, self.plan.jitter);
        let next = self.plan.next(now).map(|first| (first, self.plan.next(first)));
        let Some((first, Some(second))) = next.filter(|_| !jitter.is_zero()) else { return Ok(()) };
        let apart = second.duration_since(first).unwrap_or_default();
        if jitter < apart {
            return Ok(());
        }
        let text = format!(
            "schedule `{name}` has a jitter of {jitter:?}, but comes again after {apart:?}; expected a shorter one"
        );
        Err(ScheduleError::new(ScheduleErrorKind::Setting, text))
    }

    pub(super) fn timeout(&self) -> Duration {
        self.options.timeout.unwrap_or(TIMEOUT)
    }

    /// How many runs may go on at once.
    pub(super) fn at_once(&self) -> usize {
        match self.options.overlap {
            Overlap::Parallel(runs) => runs.min(tokio::sync::Semaphore::MAX_PERMITS),
            Overlap::Skip | Overlap::Queue => 1,
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What tells of the schedules of a service.
#[derive(Default)]
pub(crate) struct Histories(Vec<History>);

impl Histories {
    pub(crate) fn reports(&self) -> Vec<Report> {
        self.0.iter().map(History::report).collect()
    }
}

/// The function's own name; closures have none.
fn name_of<H>(schedule: &Schedule) -> String {
    let path = type_name::<H>();
    let path = path.split('<').next().unwrap_or(path);
    match path.rsplit("::").next() {
        Some(name) if !name.is_empty() && !name.contains('{') => name.to_owned(),
        _ => schedule.to_string(),
    }
}
