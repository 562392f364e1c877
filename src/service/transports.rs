//! The transports of one service: its main one, and those attached to it by name.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Error,
    plan::{self, Station},
};
use crate::{
    error::told,
    failpoint::{self, Point},
    health::{Board, Kind, Light, State, Status},
    middleware::{BoxFuture, Chain, Middleware},
    publisher::Way,
    time::{Dice, backoff},
    transport::{Outgoing, Provision, PublishError, PublishErrorKind, Topology, Transport, TransportError},
};

/// The main transport under no name, the others under theirs.
pub(crate) struct Transports(BTreeMap<Option<String>, Carrier>);

/// A transport, with what is told of it until it is prepared.
struct Carrier {
    transport: Arc<dyn Transport>,
    light: Light,
}

impl Transports {
    pub(super) fn new(main: Arc<dyn Transport>, attached: BTreeMap<String, Arc<dyn Transport>>, board: &Board) -> Self {
        let named = attached.into_iter().map(|(name, transport)| (Some(name), transport));
        let all = [(None, main)].into_iter().chain(named);
        Self(all.map(|(name, transport)| (name.clone(), Carrier::new(name, transport, board))).collect())
    }

    /// What kind of transport the main one is. (Its URL may hold a password.)
    pub(super) fn name(&self) -> &'static str {
        self.main().name()
    }

    /// The main one.
    pub(super) fn main(&self) -> &Arc<dyn Transport> {
        &self.0.get(&None).expect("there is always a main one").transport
    }

    /// The transport a station is on. A station on no transport, or on one that cannot do what it asks, is refused.
    pub(super) fn of(&self, station: &Station) -> Result<&Arc<dyn Transport>, Error> {
        let transport = &self.0.get(&station.via).ok_or_else(|| plan::no_such_transport(station))?.transport;
        plan::check_capabilities(station, transport.name(), &transport.capabilities())?;
        plan::check_envelope(station, &**transport)?;
        Ok(transport)
    }

    /// Each transport, by its name, with what its stations need.
    fn each<'a>(
        &'a self,
        stations: &'a [Station],
    ) -> impl Iterator<Item = (&'a Option<String>, &'a Carrier, Topology)> {
        self.0.iter().map(|(name, carrier)| {
            (name, carrier, plan::topology(stations.iter().filter(|station| station.via == *name)))
        })
    }

    /// Each transport, by its name, with what its stations need.
    pub(super) fn planned<'a>(
        &'a self,
        stations: &'a [Station],
    ) -> impl Iterator<Item = (&'a Option<String>, &'a Arc<dyn Transport>, Topology)> {
        self.each(stations).map(|(name, carrier, topology)| (name, &carrier.transport, topology))
    }

    /// Brings into being on each transport what its stations need. One that is away is asked until it is there (N1).
    pub(super) async fn provision(&self, stations: &[Station], mode: Provision, dice: &Dice) -> Result<(), Error> {
        for (_, Carrier { transport, light }, topology) in self.each(stations) {
            let mut failures = 0;
            while let Err(error) = transport.provision(&topology, mode).await {
                if !error.is_transient() {
                    return Err(error.into());
                }
                light.set(Status::starting(format!("waits for it: {}", told(&error))));
                failures += 1;
                let (transport, delay) = (transport.name(), backoff(failures, dice));
                tracing::warn!(transport, error = error.with_causes(), ?delay, "the transport is away; will try again");
                tokio::time::sleep(delay).await;
            }
            light.up();
        }
        Ok(())
    }

    /// The same, and one that is away is an error. What is missing or differs, in words.
    pub(super) async fn differences(
        &self,
        stations: &[Station],
        mode: Provision,
    ) -> Result<Vec<String>, TransportError> {
        let mut told = Vec::new();
        for (name, Carrier { transport, .. }, topology) in self.each(stations) {
            let place = name.as_ref().map_or_else(String::new, |name| format!("on `{name}`: "));
            let differences = transport.differences(&topology, mode).await?;
            told.extend(differences.iter().map(|difference| format!("{place}{}", self::told(difference))));
        }
        Ok(told)
    }

    /// What each transport needs, in its broker's own words, as files by name.
    pub(super) fn exports(
        &self,
        stations: &[Station],
        published: &[String],
    ) -> Result<BTreeMap<String, String>, TransportError> {
        let mut files = BTreeMap::new();
        for (name, Carrier { transport, .. }, topology) in self.each(stations) {
            let named = |file: String| name.as_ref().map_or(file.clone(), |name| format!("{name}-{file}"));
            files.extend(transport.exports(&topology, published)?.into_iter().map(|(file, text)| (named(file), text)));
        }
        Ok(files)
    }

    /// The way out to each transport: the steps, then its publish.
    pub(super) fn ways(&self, steps: &[Arc<dyn Middleware<Outgoing>>]) -> BTreeMap<Option<String>, Way> {
        let way = |carrier: &Carrier| {
            let transport = carrier.transport.clone();
            let (system, limits) = (transport.name(), transport.capabilities());
            let chain = Chain::new(steps.to_vec(), move |outgoing: Outgoing| -> BoxFuture<_> {
                let transport = transport.clone();
                Box::pin(async move { publish(&*transport, outgoing).await })
            });
            Way { system, limits, chain }
        };
        self.0.iter().map(|(name, carrier)| (name.clone(), way(carrier))).collect()
    }

    /// Lets go of all of them, each in this time.
    pub(super) async fn close(&self, limit: Duration) {
        let closing = self.0.values().map(|Carrier { transport, .. }| async move {
            if tokio::time::timeout(limit, transport.close()).await.is_err() {
                tracing::warn!(transport = transport.name(), "the transport did not close in time");
            }
        });
        futures_util::future::join_all(closing).await;
    }
}

impl Carrier {
    fn new(name: Option<String>, transport: Arc<dyn Transport>, board: &Board) -> Self {
        let (light, asked) = (Light::default(), transport.clone());
        let (name, shown) = (name.unwrap_or_else(|| transport.name().to_owned()), light.clone());
        board.ask(Kind::Transport, name, move || match shown.status() {
            prepared if prepared.state() == State::Up => asked.status(),
            waiting => waiting,
        });
        Self { transport, light }
    }
}

/// The last step of a publish: whatever middleware made of the message, the transport is asked for nothing beyond its
/// limits.
async fn publish(transport: &dyn Transport, outgoing: Outgoing) -> Result<(), PublishError> {
    let struck = |kind| move |struck| PublishError::new(kind, "the publish was cut short").caused_by(struck);
    transport.capabilities().check(&outgoing)?;
    failpoint::hit(Point::PublishBeforeWrite).map_err(struck(PublishErrorKind::Refused))?;
    transport.publish(outgoing).await?;
    failpoint::hit(Point::PublishAfterConfirm).map_err(struck(PublishErrorKind::Unknown))
}
