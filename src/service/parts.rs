//! What a service is made of, whatever its state is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

#[cfg(not(feature = "schedule"))]
use super::unscheduled::Schedules;
use super::{
    Description, Error,
    checks::Checks,
    databases::Databases,
    hooks::Hooks,
    http,
    plan::{self, Station, Wish},
    settings::Settings,
    task::{self, Post},
};
#[cfg(feature = "schedule")]
use crate::schedule::Schedules;
use crate::{
    codec::{Told, Upcasts},
    config::Config,
    contract::{Contract, Names},
    envelope::{Envelope, JsonBase},
    event::Event,
    middleware::Middleware,
    pipeline::Incoming,
    publisher::Link,
    telemetry::Observer,
    time::{Clock, Dice, Wall},
    transport::{Outgoing, Provision, Transport},
};

/// Every event that the service handles or says it publishes, by name.
pub(crate) type Contracts = BTreeMap<&'static str, (&'static Contract, Told)>;

/// Everything about a service that does not depend on the type of its state.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(super) version: Option<String>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(super) attached: BTreeMap<String, Arc<dyn Transport>>,
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(super) wishes: Vec<Wish>,
    pub(crate) upcasts: Upcasts,
    pub(crate) consume: Vec<Arc<dyn Middleware<Incoming>>>,
    pub(super) publish: Vec<Arc<dyn Middleware<Outgoing>>>,
    pub(super) observers: Vec<Arc<dyn Observer>>,
    pub(super) unroutable: BTreeSet<&'static str>,
    pub(super) publishes: Vec<&'static Contract>,
    pub(crate) contracts: Contracts,
    pub(super) posts: BTreeMap<&'static str, Post>,
    pub(super) hooks: Hooks,
    pub(super) checks: Checks,
    pub(crate) config: Option<Config>,
    pub(super) prefix: Option<String>,
    pub(super) provision: Option<Provision>,
    pub(super) drain: Option<Duration>,
    pub(crate) clock: Option<Clock>,
    pub(crate) dice: Option<Dice>,
    /// The service's id among its replicas, where somebody had to know it before the start.
    pub(super) instance: Option<String>,
    pub(crate) wall: Option<Wall>,
    pub(super) schedules: Schedules,
    pub(super) databases: Databases,
    pub(crate) http: http::Wish,
    pub(super) link: watch::Sender<Link>,
}

impl Parts {
    /// Those of a service of this name, which nothing has been said of yet.
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            version: None,
            transport: None,
            attached: BTreeMap::new(),
            envelope: Arc::new(JsonBase::default()),
            wishes: Vec::new(),
            upcasts: Upcasts::default(),
            consume: Vec::new(),
            publish: Vec::new(),
            observers: Vec::new(),
            unroutable: BTreeSet::new(),
            publishes: Vec::new(),
            contracts: Contracts::new(),
            posts: BTreeMap::new(),
            hooks: Hooks::default(),
            checks: Checks::default(),
            config: None,
            prefix: None,
            provision: None,
            drain: None,
            clock: None,
            dice: None,
            instance: None,
            wall: None,
            schedules: Schedules::default(),
            databases: Databases::default(),
            http: Default::default(),
            link: watch::Sender::new(Link::Waiting),
        }
    }

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

    /// The main transport: the one that was set in code, or that the settings name.
    pub(super) fn main_transport(&mut self, settings: &Settings) -> Result<Arc<dyn Transport>, Error> {
        self.transport.take().map_or_else(|| settings.transport(), Ok)
    }

    /// Keeps what only the type of an event tells.
    pub(super) fn know<E: Event>(&mut self) {
        self.contracts.insert(E::CONTRACT.name, (E::CONTRACT, Told::of::<E>()));
        self.posts.insert(E::CONTRACT.name, task::post::<E>);
    }

    /// The queues and what reads them.
    pub(super) fn plan(&self) -> Result<(Names, Vec<Station>), Error> {
        let names = plan::names(self.settings()?.prefix, &self.name)?;
        let stations = plan::stations(&names, self.wishes.iter().cloned(), &self.upcasts)?;
        Ok((names, stations))
    }

    pub(super) fn describe(&self) -> Result<Description, Error> {
        let (names, stations) = self.plan()?;
        Ok(Description { version: self.version.clone(), ..Description::of(&names, &stations, &self.publishes) })
    }
}
