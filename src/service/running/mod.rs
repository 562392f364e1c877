//! A service from its start to its end.

mod crew;
mod life;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    Description, Error, Parts, async_api,
    banner::{self, Banner},
    census::Census,
    hooks::{Hooks, Turn},
    http, plan,
    settings::Settings,
    transports::Transports,
};
use crate::{
    consumer::Consumer,
    health::{Board, Kind},
    lifecycle::{Lifecycle, Stop, Watch, Watching},
    middleware::BoxFuture,
    outbox::Outbox,
    publisher::{Link, Publisher},
    time::{Clock, Dice},
    transport::Deliveries,
};

use crew::Crew;
pub(super) use crew::open_line;
pub(super) use life::run;

#[cfg(feature = "schedule")]
use super::schedules;
#[cfg(not(feature = "schedule"))]
use super::unscheduled::{self as schedules, Histories};
#[cfg(feature = "schedule")]
use crate::schedule::Histories;

/// After the drain time: for handlers to end once told to, for the last hooks, and to close. 9 s together, and half a second for
/// the admin listener (S1: 10).
const AFTER_DRAIN: [Duration; 3] = [Duration::from_secs(6), Duration::from_secs(2), Duration::from_secs(1)];
/// The same for all of it, with what is told to a collector in what is left; the rest is for the process's own end (S1: 10).
const IN_ALL: Duration = Duration::from_millis(9_700);
/// The exit code of a stop that had to be forced (S5; `EX_SOFTWARE` of sysexits).
pub(crate) const FORCED: i32 = 70;

/// A service that runs.
///
/// Dropping it ends its handlers without a drain; what they were handling comes back.
pub struct Running {
    publisher: Publisher,
    pub(super) stop: Stop,
    pub(super) lifecycle: Lifecycle,
    watch: Watch,
    watching: Option<Watching>,
    pub(super) board: Board,
    hooks: Hooks,
    transports: Transports,
    pub(super) drain: Duration,
    pub(super) http: http::Place,
    pub(super) admin: http::Admin,
    link: watch::Sender<Link>,
    pub(super) schedules: Histories,
    /// Those that it publishes from.
    pub(super) outboxes: Vec<Arc<dyn Outbox>>,
    /// Whether each of its projections has nothing to do.
    pub(super) projections: Vec<IsDone>,
    banner: Banner,
}

/// Answers whether something is done, as often as it is asked.
pub(super) type IsDone = Box<dyn Fn() -> BoxFuture<bool> + Send + Sync>;

/// How a service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every running handler ended by itself.
    Drained,
    /// Some had to be dropped; what they were handling comes back.
    Forced,
}

pub(crate) async fn start(mut parts: Parts, settings: Settings, stop: Stop) -> Result<Running, Error> {
    let transport = parts.main_transport(&settings)?;
    let lifecycle = Lifecycle::default();
    let board = Board::new(&parts.name, lifecycle.draining().clone());
    let transports = Transports::new(transport, std::mem::take(&mut parts.attached), &board);
    let running = Running {
        publisher: Publisher::new(parts.link.subscribe()),
        stop,
        lifecycle,
        watch: Watch::default(),
        watching: None,
        board,
        hooks: std::mem::take(&mut parts.hooks),
        transports,
        drain: settings.drain,
        http: Default::default(),
        admin: Default::default(),
        link: parts.link.clone(),
        schedules: Histories::default(),
        outboxes: Vec::new(),
        projections: Vec::new(),
        banner: Banner::default(),
    };
    running.start(parts, settings).await
}

impl Running {
    /// The service's publisher.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Waits until a handler or a hook asks for a stop.
    pub fn stop_requested(&self) -> impl Future<Output = ()> + use<> {
        let stop = self.stop.clone();
        async move { stop.requested().await }
    }

    /// Takes no new work, lets running handlers end, and closes; in drain time + 10 s at most (S1).
    ///
    /// # Errors
    /// A hook failed; the service has stopped all the same. Where handlers had to be dropped, too, the answer is `Forced`, and
    /// the log has the error: whoever ends the process must not wait for them.
    pub async fn stop(mut self) -> Result<Ended, Error> {
        let now = Clock::system().instant();
        self.stop.over_by(now.checked_add(self.drain.saturating_add(IN_ALL)));
        self.lifecycle.drain();
        let stopping = self.hooks.run(Turn::Stopping, Some(self.drain), &self.publisher, &self.stop);
        let (stopping, drained) = tokio::join!(stopping, self.lifecycle.finished_within(self.drain));
        let ended = if drained { Ended::Drained } else { self.force().await };
        let closed = self.close(ended).await;
        tracing::info!(?ended, "service stopped");
        match stopping.and(closed) {
            Err(error) if ended == Ended::Forced => tracing::error!(error = error.with_causes(), "a hook failed"),
            verdict => verdict?,
        }
        Ok(ended)
    }

    async fn force(&mut self) -> Ended {
        tracing::warn!(drain = ?self.drain, "handlers still run after the drain time; ending them");
        self.lifecycle.cut();
        let [cut, ..] = AFTER_DRAIN;
        if !self.lifecycle.finished_within(cut).await {
            tracing::error!("a handler blocks its thread and cannot be ended");
        }
        Ended::Forced
    }

    /// What no handler needed, the transports have: acks may still be on their way.
    async fn close(&mut self, ended: Ended) -> Result<(), Error> {
        let [cut, hooks, close] = AFTER_DRAIN;
        let close = if ended == Ended::Drained { cut + close } else { close };
        let verdict = self.hooks.run(Turn::Stopped, Some(hooks), &self.publisher, &self.stop).await;
        self.link.send_replace(Link::Closed);
        self.transports.close(close).await;
        self.admin.close().await;
        verdict
    }

    /// Runs the hooks and starts everything; on an error, undoes it.
    ///
    /// Interrupted, it is as if a stop had been asked for as soon as it was done.
    async fn start(mut self, parts: Parts, settings: Settings) -> Result<Self, Error> {
        let stop = self.stop.clone();
        // A start that failed is told, also where it was interrupted at that moment.
        let prepared = tokio::select! {
            biased;
            prepared = self.prepare(parts, settings) => prepared,
            () = stop.interrupted() => Ok(()),
        };
        let Err(error) = prepared else { return Ok(self) };
        if let Err(second) = self.stop().await {
            tracing::warn!(error = ?second, "and the stop after a failed start did not go well");
        }
        Err(error)
    }

    async fn prepare(&mut self, mut parts: Parts, settings: Settings) -> Result<(), Error> {
        let names = plan::names(settings.prefix, &parts.name)?;
        let stations = plan::stations(&names, std::mem::take(&mut parts.wishes), &parts.upcasts)?;
        stations.iter().try_for_each(|station| self.transports.of(station).map(drop))?;
        let clock = *parts.clock.get_or_insert_with(Clock::system);
        std::mem::take(&mut parts.checks).enlist(self, clock)?;
        let banner = Banner::of(&parts).and(banner::handlers(&stations, &self.transports));
        let mut schedules = std::mem::take(&mut parts.schedules);
        let databases = std::mem::take(&mut parts.databases);
        databases.check()?;
        let wall = parts.wall.take().unwrap_or_default();
        schedules.check(wall.now(), &settings.config)?;
        let dice = parts.dice.take().unwrap_or_else(Dice::system);
        // Whoever probes is answered from here to the end.
        let described = || {
            let description = Description::of(&names, &stations, &parts.publishes);
            let document = async_api::document(&description, &parts.contracts);
            (description, document)
        };
        if let Some(asked) = parts.http.admin(described, &settings.config, &mut parts.observers) {
            self.admin = http::Admin::open(asked, self, (clock, dice.clone())).await?;
        }
        let bound = std::mem::take(&mut parts.http).bind(&settings.config).await?;
        self.http = bound.place();
        self.hooks.run(Turn::BeforeStart, None, &self.publisher, &self.stop).await?;
        self.transports.provision(&stations, settings.provision, &dice).await?;
        let crew = Crew::new(parts, names, dice, self);
        self.link.send_replace(Link::Open(crew.line.clone()));
        self.hooks.run(Turn::Started, None, &self.publisher, &self.stop).await?;
        let census = Census::of(&stations, &self.transports, &crew.line.observers)?;
        let consumers = stations.into_iter().map(|station| crew.consumer(station, self));
        let consumers = open(consumers.collect::<Result<_, _>>()?).await?;
        let server = bound.open(&crew.line, self)?;
        let (routes, admin) = (self.http.url(), self.admin.url());
        tracing::info!(
            service = &*crew.line.service,
            transport = self.transports.name(),
            routes = routes.as_deref(),
            admin = admin.as_deref(),
            "service started"
        );
        self.watching = (!consumers.is_empty() || !schedules.is_empty()).then(|| self.watch.start());
        for (consumer, opened) in consumers {
            self.lifecycle.spawn(consumer.run(opened));
        }
        census.start(&self.lifecycle);
        databases.start(&crew.line, &wall, self);
        let scheduled = !schedules.is_empty();
        self.schedules = schedules.start(crew.schedule(wall, self));
        self.banner = banner.and(schedules::table(&self.schedules)).and(banner::listeners(routes, admin));
        if scheduled {
            let histories = self.schedules.clone();
            self.board.ask(Kind::Schedules, "schedules", move || histories.status());
        }
        server.start(&self.lifecycle);
        self.board.started();
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lifecycle.drain();
        self.lifecycle.cut();
        self.link.send_replace(Link::Closed);
    }
}

/// A consumer with what it has begun to consume.
type Opened = (Consumer, Option<Box<dyn Deliveries>>);

/// Has them begin to consume, where the transport is there.
async fn open(consumers: Vec<Consumer>) -> Result<Vec<Opened>, Error> {
    let mut opened = Vec::new();
    for consumer in consumers {
        let deliveries = consumer.open().await?;
        opened.push((consumer, deliveries));
    }
    Ok(opened)
}

/// An id among replicas.
pub(super) fn draw_instance(dice: &Dice) -> String {
    dice.uuid().to_string()
}
