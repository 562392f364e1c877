//! A service: which events it handles, with what around them; built as a value, then run.
//!
//! Building does no I/O. [`Service::run`] takes what was not set in code from a file and the environment, see
//! [`configuration`](crate::docs::configuration).

mod async_api;
mod banner;
mod census;
mod checks;
mod config;
mod databases;
mod description;
mod error;
mod hooks;
pub(crate) mod http;
#[cfg(feature = "logs")]
mod logged;
mod parts;
mod plan;
#[cfg(feature = "store")]
mod projections;
pub(crate) mod running;
#[cfg(feature = "schedule")]
mod schedules;
#[cfg(feature = "otel")]
mod sent;
pub(crate) mod settings;
mod task;
mod transports;
#[cfg(not(feature = "logs"))]
mod unlogged;
#[cfg(not(feature = "schedule"))]
mod unscheduled;
#[cfg(not(feature = "otel"))]
mod unsent;

pub use databases::Transactional;
pub use description::{DescribedEvent, DescribedHandler, DescribedQueue, DescribedTopic, Description};
pub use error::{Error, ErrorKind};
pub use hooks::Handle;
pub use running::{Ended, Running};
pub use task::{
    Choice, Compared, DescribedDeadLetter, DescribedMessage, Dropped, EventSample, EventSamples, Peek, Posted, Pruned,
    Redriven, Samples,
};

use std::{future::Future, sync::Arc, time::Duration};

use crate::{
    codec::Hands,
    config::Config,
    envelope::Envelope,
    error::BoxError,
    event::{Event, Filter, Upcast},
    handler::Handler,
    lifecycle::Stop,
    middleware::Middleware,
    pipeline::{self, Incoming, Route, Run, Subscription, Typed},
    publisher::Publisher,
    telemetry::Observer,
    transport::{Outgoing, Provision, Topology, Transport},
};
use hooks::Turn;
#[cfg(feature = "logs")]
use logged as log;
pub(crate) use parts::Contracts;
use parts::Parts;
use plan::Wish;
#[cfg(feature = "otel")]
use sent::Sender;
use settings::Settings;
use task::Task;
#[cfg(not(feature = "logs"))]
use unlogged as log;
#[cfg(not(feature = "otel"))]
use unsent::Sender;

/// A service under construction.
///
/// # Examples
/// See the [crate's first page](crate).
#[must_use = "a service does nothing until it is run"]
pub struct Service<S = ()> {
    state: Arc<S>,
    pub(crate) parts: Parts,
}

impl Service {
    /// A service of this name: `A-Z a-z 0-9 - _`, at most 64 of them; it begins the names of its queues.
    pub fn new(name: impl Into<String>) -> Self {
        Self { state: Arc::new(()), parts: Parts::new(name.into()) }
    }

    /// Gives the handlers and hooks that follow a state, which they share.
    pub fn state<S: Send + Sync + 'static>(self, state: S) -> Service<S> {
        Service { state: Arc::new(state), parts: self.parts }
    }
}

impl<S: Send + Sync + 'static> Service<S> {
    /// Handles events of type `E`.
    pub fn on<E: Event>(self, handler: impl Handler<E, S>) -> Self {
        self.on_with::<E>(handler, |subscription| subscription)
    }

    /// Handles events of type `E`, with choices of its own.
    pub fn on_with<E: Event>(
        self,
        handler: impl Handler<E, S>,
        choose: impl FnOnce(Subscription<E>) -> Subscription<E>,
    ) -> Self {
        let name = pipeline::name_of(&handler);
        let handler = Arc::new(Typed::<E, S, _>::new(handler, self.state.clone()));
        self.subscribe::<E>(name, handler, choose(Subscription::default()))
    }

    fn subscribe<E: Event>(mut self, name: String, handler: Arc<dyn Run>, subscription: Subscription<E>) -> Self {
        let Subscription { filter, via, group, concurrency, timeout, retry, on_dead, reach, queue, envelope } =
            subscription;
        let policy = filter.as_ref().map(Filter::policy).cloned().unwrap_or_default();
        let route =
            Route { name, contract: E::CONTRACT, hands: Hands::of::<E>(), policy, timeout, retry, envelope, handler };
        let route = Arc::new(route);
        self.parts.know::<E>();
        self.parts.wishes.push(Wish { route, via, group, queue, concurrency, on_dead, reach });
        self
    }

    /// Hands events of an older contract to the handlers of a newer one, each made into the newer by [`Upcast`].
    ///
    /// The handlers' queues listen to the older contract's topic too. Steps add up: with one from `v1` to `v2` and one
    /// from `v2` to `v3`, a handler of `v3` gets all three. What a step cannot make becomes a dead letter, with its
    /// bytes as they came. A filter looks at what was made. A message without a name, as foreign publishers send it, is
    /// taken for the handler's own only if its envelope tells the handler's topic.
    ///
    /// The start is refused if two steps begin at one contract, if they go in a circle, if they end where nothing
    /// handles them, and if only one of two contracts keeps order.
    pub fn upcast<Old: Event, New: Upcast<Old>>(mut self) -> Self {
        self.parts.upcasts.add::<Old, New>();
        self.parts.know::<Old>();
        self
    }

    /// Which release this is, for documents: mostly `env!("CARGO_PKG_VERSION")`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.parts.version = Some(version.into());
        self
    }

    /// Carries messages over this transport, whatever the settings say.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.parts.transport = Some(Arc::new(transport));
        self
    }

    /// Attaches a further transport under a name, for subscriptions and publishes that choose it with `via`.
    pub fn attach(mut self, name: impl Into<String>, transport: impl Transport) -> Self {
        self.parts.attached.insert(name.into(), Arc::new(transport));
        self
    }

    /// Reads and writes this envelope. Default: [`JsonBase`](crate::envelope::JsonBase).
    pub fn envelope(mut self, envelope: impl Envelope) -> Self {
        self.parts.envelope = Arc::new(envelope);
        self
    }

    /// Adds a step around every handler; the first added is the outermost.
    pub fn middleware(mut self, step: impl Middleware<Incoming>) -> Self {
        self.parts.consume.push(Arc::new(step));
        self
    }

    /// Adds a step around every publish; the first added is the outermost.
    pub fn publish_middleware(mut self, step: impl Middleware<Outgoing>) -> Self {
        self.parts.publish.push(Arc::new(step));
        self
    }

    /// Says that the service publishes events of type `E`: for `contracts.lock`, documents and whoever asks.
    ///
    /// A service that says so of one event must say so of all: it cannot publish others.
    pub fn publishes<E: Event>(mut self) -> Self {
        self.parts.publishes.push(E::CONTRACT);
        self.parts.know::<E>();
        self
    }

    /// Publishing events of type `E` is no error when nobody listens (P4).
    pub fn allow_unroutable<E: Event>(mut self) -> Self {
        self.parts.unroutable.insert(E::CONTRACT.name);
        self
    }

    /// Takes its settings from here, and asks neither the file nor the environment. Where `TEGAMI_TASK` is set,
    /// [`run`](Self::run) then refuses, unless the key `task` was given here.
    pub fn config(mut self, config: Config) -> Self {
        self.parts.config = Some(config);
        self
    }

    /// Begins every topic and queue name with this: at most 32 of `A-Z a-z 0-9 - _`. Default: the setting `prefix`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.parts.prefix = Some(prefix.into());
        self
    }

    /// What the start may do to the broker. Default: the setting `provision`.
    pub fn provision(mut self, provision: Provision) -> Self {
        self.parts.provision = Some(provision);
        self
    }

    /// How long running handlers have at a stop. Default: the setting `drain`.
    pub fn drain(mut self, drain: Duration) -> Self {
        self.parts.drain = Some(drain);
        self
    }

    /// Runs before the transport is prepared; an error stops the start.
    ///
    /// It is too early to await a publish here: it would wait its 10 s for the start, which waits for this hook, and
    /// end with `Closed`. Publish in [`started`](Self::started).
    pub fn before_start<F, Fut, E>(self, hook: F) -> Self
    where
        F: FnOnce(Handle<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.hook(Turn::BeforeStart, hook)
    }

    /// Runs once the transport is ready, before deliveries flow; an error stops the start.
    pub fn started<F, Fut, E>(self, hook: F) -> Self
    where
        F: FnOnce(Handle<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.hook(Turn::Started, hook)
    }

    /// Runs as soon as a stop is asked for, beside the drain.
    pub fn stopping<F, Fut, E>(self, hook: F) -> Self
    where
        F: FnOnce(Handle<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.hook(Turn::Stopping, hook)
    }

    /// Runs when the last handler has ended.
    pub fn stopped<F, Fut, E>(self, hook: F) -> Self
    where
        F: FnOnce(Handle<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.hook(Turn::Stopped, hook)
    }

    fn hook<F, Fut, E>(mut self, turn: Turn, hook: F) -> Self
    where
        F: FnOnce(Handle<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.parts.hooks.add(turn, self.state.clone(), hook);
        self
    }

    /// Has this see what happens: publishes, deliveries, runs, requests. Called again, this too.
    pub fn observe(mut self, observer: impl Observer) -> Self {
        self.parts.observers.push(Arc::new(observer));
        self
    }

    /// The service's publisher: cloneable, and usable before the service runs; a publish then waits for the start.
    pub fn publisher(&self) -> Publisher {
        Publisher::new(self.parts.link.subscribe())
    }

    /// The topics and queues the service needs, without connecting to anything.
    ///
    /// # Errors
    /// A setting is wrong, or two subscriptions cannot both be had.
    pub fn topology(&self) -> Result<Topology, Error> {
        let (_, stations) = self.parts.plan()?;
        Ok(plan::topology(&stations))
    }

    /// What the service reads, handles and publishes, without connecting to anything.
    ///
    /// # Errors
    /// As [`topology`](Self::topology).
    pub fn describe(&self) -> Result<Description, Error> {
        self.parts.describe()
    }

    /// The service as an [AsyncAPI 3](https://www.asyncapi.com/docs/reference/specification/v3.0.0) document, in JSON,
    /// with the schemas of its events and an example of each, which the contract was asked about.
    ///
    /// # Errors
    /// As [`topology`](Self::topology).
    pub fn async_api(&self) -> Result<String, Error> {
        Ok(format!("{:#}", async_api::document(&self.parts.describe()?, &self.parts.contracts)))
    }

    /// Samples of every event that the service handles or says it publishes, as this build writes them.
    pub fn samples(&self) -> Samples {
        Samples::of(&self.parts)
    }

    /// Starts the service and gives it back running, for programs that decide themselves when to stop.
    ///
    /// # Errors
    /// A setting is wrong, the transport is not ready, or a hook failed. Nothing is left running.
    pub async fn start(self) -> Result<Running, Error> {
        let settings = self.parts.settings()?;
        if settings.task != Task::Serve {
            let text = "the setting `task` is not `serve`, which is all that `start` does: use `run`";
            return Err(Error::new(ErrorKind::Setting, text));
        }
        running::start(self.parts, settings, Stop::default()).await
    }

    /// Runs the service until SIGINT, SIGTERM or [`Context::stop`](crate::Context::stop), then stops it.
    ///
    /// With the feature `logs`, it writes the log to stderr, unless the program has set up a subscriber for it. With
    /// `otel`, it also sends it to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names, with traces and figures.
    ///
    /// The setting `task` has it do something else, once; the log then goes to stderr, too, and to no collector.
    ///
    /// Running handlers have the drain time to end; then they are told to, and 5 s later dropped. The process ends
    /// with code 70 if that was needed, or at once on a second signal (S5); with the code given to
    /// [`Context::exit`](crate::Context::exit), if there was one.
    ///
    /// # Errors
    /// As [`start`](Self::start), and when a hook failed at the stop; also where the variable `TEGAMI_TASK` is set and
    /// the [`config`](Self::config) knows nothing of a task: who asks for one must not get a service. `main` returning it
    /// ends with code 1.
    pub async fn run(mut self) -> Result<(), Error> {
        let config = match self.parts.config.take() {
            Some(config) => config.heeding_task()?,
            None => Config::load()?,
        };
        let task = Settings::of(config.clone()).task;
        if task != Task::Serve {
            // The answer is on stdout, the log on stderr.
            log::init(&config, &Sender::none());
            self.parts.config = Some(config);
            return task::run(self.parts, task).await;
        }
        let sender = Sender::start(&mut self.parts)?;
        log::init(&config, &sender);
        self.parts.config = Some(config);
        running::run(self.parts, sender).await
    }
}
