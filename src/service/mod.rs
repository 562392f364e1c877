//! A service: which events it handles, with what around them; built as a value, then run.
//!
//! Building does no I/O. [`Service::run`] takes what was not set in code from a file and the environment, see
//! [`configuration`](crate::docs::configuration).

mod banner;
mod config;
mod error;
mod hooks;
mod http;
#[cfg(feature = "logs")]
mod logged;
mod plan;
pub(crate) mod running;
#[cfg(feature = "schedule")]
mod schedules;
pub(crate) mod settings;
mod transports;
#[cfg(not(feature = "logs"))]
mod unlogged;
#[cfg(not(feature = "schedule"))]
mod unscheduled;

pub use error::{Error, ErrorKind};
pub use hooks::Handle;
pub use running::{Ended, Running};

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

#[cfg(feature = "schedule")]
use crate::schedule::Schedules;
use crate::{
    config::Config,
    envelope::{Envelope, JsonBase},
    error::BoxError,
    event::{Event, Filter},
    handler::Handler,
    lifecycle::Stop,
    middleware::Middleware,
    pipeline::{Incoming, Route, Subscription, Typed},
    publisher::{Link, Publisher},
    time::{Clock, Dice, Wall},
    transport::{Outgoing, Provision, Topology, Transport},
};
use hooks::{Hooks, Turn};
#[cfg(feature = "logs")]
use logged as log;
use plan::Wish;
use settings::Settings;
#[cfg(not(feature = "logs"))]
use unlogged as log;
#[cfg(not(feature = "schedule"))]
use unscheduled::Schedules;

/// A service under construction.
///
/// # Examples
/// See the [crate's first page](crate).
#[must_use = "a service does nothing until it is run"]
pub struct Service<S = ()> {
    state: Arc<S>,
    pub(crate) parts: Parts,
}

/// Everything about a service that does not depend on the type of its state.
pub(crate) struct Parts {
    name: String,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    attached: BTreeMap<String, Arc<dyn Transport>>,
    pub(crate) envelope: Arc<dyn Envelope>,
    wishes: Vec<Wish>,
    pub(crate) consume: Vec<Arc<dyn Middleware<Incoming>>>,
    publish: Vec<Arc<dyn Middleware<Outgoing>>>,
    unroutable: BTreeSet<&'static str>,
    hooks: Hooks,
    pub(crate) config: Option<Config>,
    prefix: Option<String>,
    provision: Option<Provision>,
    drain: Option<Duration>,
    pub(crate) clock: Option<Clock>,
    pub(crate) dice: Option<Dice>,
    pub(crate) wall: Option<Wall>,
    schedules: Schedules,
    pub(crate) http: http::Wish,
    link: watch::Sender<Link>,
}

impl Parts {
    /// What the configuration says, but for what was set in code.
    ///
    /// # Errors
    /// Something in the file or in the environment is wrong.
    pub(crate) fn settings(&self) -> Result<Settings, Error> {
        let mut settings = Settings::of(self.config.clone().map_or_else(Config::load, Ok)?);
        if let Some(prefix) = &self.prefix {
            settings.prefix.clone_from(prefix);
        }
        settings.provision = self.provision.unwrap_or(settings.provision);
        settings.drain = self.drain.unwrap_or(settings.drain);
        Ok(settings)
    }
}

impl Service {
    /// A service of this name: `A-Z a-z 0-9 - _`, at most 64 of them; it begins the names of its queues.
    pub fn new(name: impl Into<String>) -> Self {
        let parts = Parts {
            name: name.into(),
            transport: None,
            attached: BTreeMap::new(),
            envelope: Arc::new(JsonBase::default()),
            wishes: Vec::new(),
            consume: Vec::new(),
            publish: Vec::new(),
            unroutable: BTreeSet::new(),
            hooks: Hooks::default(),
            config: None,
            prefix: None,
            provision: None,
            drain: None,
            clock: None,
            dice: None,
            wall: None,
            schedules: Schedules::default(),
            http: Default::default(),
            link: watch::Sender::new(Link::Waiting),
        };
        Self { state: Arc::new(()), parts }
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
        mut self,
        handler: impl Handler<E, S>,
        choose: impl FnOnce(Subscription<E>) -> Subscription<E>,
    ) -> Self {
        let Subscription { filter, via, group, concurrency, timeout, retry, on_dead, reach, queue, envelope } =
            choose(Subscription::default());
        let policy = filter.as_ref().map(Filter::policy).cloned().unwrap_or_default();
        let name = std::any::type_name_of_val(&handler).replace("::{{closure}}", "");
        let handler = Arc::new(Typed::<E, S, _>::new(handler, self.state.clone()));
        let route = Route { name, contract: E::CONTRACT, policy, timeout, retry, envelope, handler };
        let route = Arc::new(route);
        self.parts.wishes.push(Wish { route, via, group, queue, concurrency, on_dead, reach });
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

    /// Reads and writes this envelope. Default: [`JsonBase`].
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

    /// Publishing events of type `E` is no error when nobody listens (P4).
    pub fn allow_unroutable<E: Event>(mut self) -> Self {
        self.parts.unroutable.insert(E::CONTRACT.name);
        self
    }

    /// Takes its settings from here, and asks neither the file nor the environment.
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

    /// The service's publisher: cloneable, and usable before the service runs; a publish then waits for the start.
    pub fn publisher(&self) -> Publisher {
        Publisher::new(self.parts.link.subscribe())
    }

    /// The topics and queues the service needs, without connecting to anything.
    ///
    /// # Errors
    /// A setting is wrong, or two subscriptions cannot both be had.
    pub fn topology(&self) -> Result<Topology, Error> {
        let settings = self.parts.settings()?;
        let names = plan::names(settings.prefix, &self.parts.name)?;
        let stations = plan::stations(&names, self.parts.wishes.iter().cloned())?;
        Ok(plan::topology(&stations))
    }

    /// Starts the service and gives it back running, for programs that decide themselves when to stop.
    ///
    /// # Errors
    /// A setting is wrong, the transport is not ready, or a hook failed. Nothing is left running.
    pub async fn start(self) -> Result<Running, Error> {
        let settings = self.parts.settings()?;
        running::start(self.parts, settings, Stop::default()).await
    }

    /// Runs the service until SIGINT, SIGTERM or [`Context::stop`](crate::Context::stop), then stops it.
    ///
    /// With the feature `logs`, it writes the log to stderr, unless the program has set up a subscriber for it.
    ///
    /// Running handlers have the drain time to end; then they are told to, and 5 s later dropped. The process ends
    /// with code 70 if that was needed, or at once on a second signal (S5); with the code given to
    /// [`Context::exit`](crate::Context::exit), if there was one.
    ///
    /// # Errors
    /// As [`start`](Self::start), and when a hook failed at the stop. `main` returning it ends with code 1.
    pub async fn run(mut self) -> Result<(), Error> {
        let config = self.parts.config.take().map_or_else(Config::load, Ok)?;
        log::init(&config);
        self.parts.config = Some(config);
        running::run(self.parts).await
    }
}
