//! Handlers that run by the clock: what a schedule is, how its runs are told apart over replicas, how they end.
//!
//! The guide is [`schedules`](crate::docs::schedules).

mod cron;
mod error;
mod field;
#[cfg(feature = "cron")]
mod foreign;
mod history;
mod job;
mod keys;
pub mod lease;
mod moment;
mod options;
mod pattern;
mod plan;
mod run;
mod runner;
mod span;
mod tick;
mod tomodachi;
mod when;
mod zone;

pub use error::{ScheduleError, ScheduleErrorKind};
pub use history::{Outcome, Report, Run};
pub use job::OnTick;
pub(crate) use job::{Crew, Histories, Schedules};
pub(crate) use keys::keys;
pub use lease::LeaseStore;
pub use options::{Missed, Overlap, ScheduleOptions};
pub use tick::Tick;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use error::Wrong;
use plan::Plan;
use when::When;

/// The longest expression, in bytes.
const LONGEST: usize = 256;
/// The shortest and the longest interval.
const INTERVALS: [Duration; 2] = [Duration::from_millis(1), Duration::from_secs(366 * 24 * 60 * 60)];
/// The longest jitter.
const JITTER: Duration = Duration::from_secs(24 * 60 * 60);

/// When something is to run.
///
/// What is wrong with it is told by [`upcoming`](Self::upcoming), and by the service that is given it, when it starts.
///
/// # Examples
/// ```
/// use std::time::{Duration, SystemTime};
/// use tegami::schedule::Schedule;
///
/// let nightly = Schedule::cron("30 2 * * *").in_zone("Europe/Berlin");
/// assert_eq!(nightly.upcoming(SystemTime::UNIX_EPOCH, 5)?.len(), 5);
///
/// let wrong = Schedule::cron("60 * * * *").upcoming(SystemTime::UNIX_EPOCH, 1);
/// let text = "`60 * * * *` at character 1: `60` is no minute; expected 0 to 59 (the full one is 0)";
/// assert_eq!(wrong.expect_err("there is no such minute").to_string(), text);
/// # Ok::<(), tegami::schedule::ScheduleError>(())
/// ```
#[derive(Debug)]
#[must_use = "a schedule does nothing until a service has it"]
pub struct Schedule {
    text: String,
    plan: Result<Plan, ScheduleError>,
}

impl Schedule {
    /// By a cron expression: minute, hour, day, month, weekday; or six fields with a second before them; or seven with
    /// a year after them. In UTC, unless [`in_zone`](Self::in_zone) or the setting
    /// `schedule.zone` says another.
    pub fn cron(expression: impl Into<String>) -> Self {
        Self::read(expression.into(), |text| cron::parse(text).map(|pattern| When::Calendar(Arc::new(pattern))))
    }

    /// By an interval of tomodachi: its cron dialect or its words, such as `1/2 * * * *` or `every monday`.
    pub fn tomodachi(interval: impl Into<String>) -> Self {
        Self::read(interval.into(), tomodachi::parse).within_bounds()
    }

    /// At this time: `2030-12-24 18:00:00`, `2030-12-24T18:00:00Z`; without a date every day. A time that has passed
    /// never comes, which is no error.
    pub fn at(timestamp: impl Into<String>) -> Self {
        Self::read(timestamp.into(), moment::parse)
    }

    /// Again and again, counted from 1 January 1970 in UTC, so that every replica counts the same.
    pub fn every(interval: Duration) -> Self {
        let text = format!("every {interval:?}");
        Self { text, plan: Ok(Plan::of(When::Every(interval))) }.within_bounds()
    }

    /// Every second.
    pub fn heartbeat() -> Self {
        Self::every(Duration::from_secs(1))
    }

    /// At the start of every minute.
    pub fn minutely() -> Self {
        Self::cron("@minutely")
    }

    /// At the start of every hour.
    pub fn hourly() -> Self {
        Self::cron("@hourly")
    }

    /// At midnight.
    pub fn daily() -> Self {
        Self::cron("@daily")
    }

    /// At midnight on the first day of the month.
    pub fn monthly() -> Self {
        Self::cron("@monthly")
    }

    /// By the clocks of this time zone: a name such as `Europe/Berlin`, or an offset such as `+01:00`.
    ///
    /// Where clocks are put forward, a time that is skipped comes at the first moment after it; where they are put
    /// back, a time comes once, the first time. But what comes in every hour of the day comes in each hour that passes.
    pub fn in_zone(mut self, name: &str) -> Self {
        self.plan = self.plan.and_then(|plan| Ok(Plan { zone: Some(zone::find(name)?), ..plan }));
        self.text = format!("{} in {}", self.text, name.escape_debug());
        self
    }

    /// Runs once more when the service starts, on each replica.
    pub fn immediately(mut self) -> Self {
        self.plan = self.plan.map(|plan| Plan { immediately: true, ..plan });
        self
    }

    /// Starts each run later by chance, by up to this, a day at most. Shorter than the time between two runs.
    pub fn jitter(mut self, most: Duration) -> Self {
        self.plan = self.plan.and_then(|plan| {
            let text = || format!("a jitter of {most:?} is too long; expected {JITTER:?} at most");
            let fits = (most <= JITTER).then_some(Plan { jitter: most, ..plan });
            fits.ok_or_else(|| ScheduleError::new(ScheduleErrorKind::Setting, text()))
        });
        self
    }

    /// The next times after this one, at most so many; fewer, if it does not come so often.
    ///
    /// # Errors
    /// The schedule is wrong; the text tells where and what was expected.
    pub fn upcoming(&self, after: SystemTime, most: usize) -> Result<Vec<SystemTime>, ScheduleError> {
        let plan = self.plan.as_ref().map_err(ScheduleError::again)?;
        Ok(plan.after(after).take(most).collect())
    }

    fn read(text: String, parse: impl FnOnce(&str) -> Result<When, Wrong>) -> Self {
        if text.len() > LONGEST {
            let long = format!("a schedule of {} bytes is too long; expected {LONGEST} at most", text.len());
            let plan = Err(ScheduleError::new(ScheduleErrorKind::Expression, long));
            return Self { text: "(too long)".to_owned(), plan };
        }
        let plan = parse(&text).map(Plan::of).map_err(|wrong| wrong.within(&text));
        Self { plan, text: text.escape_debug().to_string() }
    }

    fn within_bounds(mut self) -> Self {
        self.plan = self.plan.and_then(|plan| match plan.when {
            When::Every(interval) if !(INTERVALS[0]..=INTERVALS[1]).contains(&interval) => {
                let [least, most] = INTERVALS;
                let text = format!("an interval of {interval:?} is out of bounds; expected {least:?} to {most:?}");
                Err(ScheduleError::new(ScheduleErrorKind::Setting, text))
            }
            When::Every(interval) if interval.subsec_nanos() % 1_000_000 > 0 => {
                let text = format!("an interval of {interval:?} is uneven; expected whole milliseconds");
                Err(ScheduleError::new(ScheduleErrorKind::Setting, text))
            }
            _ => Ok(plan),
        });
        self
    }
}

/// As it was written.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
