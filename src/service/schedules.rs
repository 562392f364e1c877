//! How a service is given schedules, and tells of them.

use std::{sync::Arc, time::Duration};

use super::{Error, ErrorKind, Running, Service, banner::Table};
use crate::{
    config::{Absent, Known},
    schedule::{self, Histories, LeaseStore, OnTick, Report, Schedule, ScheduleError, ScheduleOptions},
};

/// What the banner shows of them.
pub(super) fn table(histories: &Histories) -> Table {
    let rows = histories.reports().into_iter().map(|report| vec![report.name, report.schedule]).collect();
    Table { heads: &["schedule", "when"], rows }
}

/// The section `[schedule]`.
pub(super) fn keys() -> Result<Box<dyn Known>, Absent> {
    Ok(Box::new(schedule::keys()))
}

impl<S: Send + Sync + 'static> Service<S> {
    /// Runs by a cron expression, in UTC; see [`Schedule::cron`].
    pub fn cron(self, expression: &str, handler: impl OnTick<S>) -> Self {
        self.schedule(Schedule::cron(expression), handler)
    }

    /// Runs again and again; see [`Schedule::every`].
    pub fn every(self, interval: Duration, handler: impl OnTick<S>) -> Self {
        self.schedule(Schedule::every(interval), handler)
    }

    /// Runs at a time; see [`Schedule::at`].
    pub fn at(self, timestamp: &str, handler: impl OnTick<S>) -> Self {
        self.schedule(Schedule::at(timestamp), handler)
    }

    /// Runs by a schedule. A schedule that is wrong is an error of the start.
    pub fn schedule(self, schedule: impl Into<Schedule>, handler: impl OnTick<S>) -> Self {
        self.schedule_with(schedule, handler, |options| options)
    }

    /// Runs by a schedule, with choices of its own.
    pub fn schedule_with(
        mut self,
        schedule: impl Into<Schedule>,
        handler: impl OnTick<S>,
        choose: impl FnOnce(ScheduleOptions) -> ScheduleOptions,
    ) -> Self {
        let options = choose(ScheduleOptions::default());
        self.parts.schedules.add(schedule.into(), handler, self.state.clone(), options);
        self
    }

    /// Keeps the leases on ticks here: replicas that share them run each tick once among them (J1).
    ///
    /// A store is a database (`sqlite::Database` on one machine, `postgres::Database` on many), or
    /// [`MemoryLeases`](crate::schedule::lease::MemoryLeases) for the services of one process. Without it each process has
    /// leases of its own, so every replica runs every tick.
    ///
    /// # Examples
    /// ```
    /// use tegami::{HandlerError, Service, schedule::{Tick, lease::MemoryLeases}};
    ///
    /// async fn send_report(_: Tick) -> Result<(), HandlerError> { Ok(()) }
    ///
    /// let leases = MemoryLeases::new();
    /// let replica = || Service::new("billing").leases(&leases).cron("0 6 * * *", send_report);
    /// let replicas = [replica(), replica()];
    /// # drop(replicas);
    /// ```
    pub fn leases(mut self, store: &(impl LeaseStore + Clone)) -> Self {
        self.parts.schedules.keep_in(Arc::new(store.clone()));
        self
    }
}

impl Running {
    /// What became of the schedules so far, in the order they were given.
    pub fn schedules(&self) -> Vec<Report> {
        self.schedules.reports()
    }
}

impl From<ScheduleError> for Error {
    fn from(error: ScheduleError) -> Self {
        error.of_kind(ErrorKind::Schedule)
    }
}
