//! `Service::admin`, and the listener's life: there from the beginning of the start to the end of the stop.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use super::on::Asked;
use crate::{
    config::{Absent, Known},
    health::Light,
    http::{
        Bound, Parts, Refused,
        admin::{self, Site, Told, Way},
    },
    lifecycle::Lifecycle,
    pipeline::Route,
    service::{Error, ErrorKind, Running, Service, plan::Station},
    telemetry::Observers,
    time::{Clock, Dice},
};

/// How long answers that are under way have when everything else has ended.
const GOODBYE: Duration = Duration::from_millis(500);

/// The admin listener of a running service, if it has one.
///
/// Its tasks are its own: they go on while the service's drain.
#[derive(Default)]
pub(crate) struct Admin {
    address: Option<SocketAddr>,
    lifecycle: Lifecycle,
}

impl<S> Service<S> {
    /// Tells of the service on this IP address and port: its health, its topology, its contracts.
    ///
    /// Whoever reaches the address may read it, so it is not the one of the routes, and there is none unless asked for:
    /// here, or by `TEGAMI_ADMIN`. It answers while the service starts and stops, too. See
    /// [`docs::admin`](crate::docs::admin).
    pub fn admin(mut self, address: impl Into<String>) -> Self {
        self.parts.http.admin = Some(address.into());
        self
    }
}

/// The section `[admin]`.
pub(crate) fn keys() -> Result<Box<dyn Known>, Absent> {
    Ok(Box::new(admin::keys()))
}

impl Running {
    /// Where the admin listener is: the address with its real port. None, if there is none.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.address
    }
}

impl Admin {
    /// Listens, and answers from now on. Nothing is borrowed meanwhile: a service under way is not shared.
    pub(crate) fn open(
        asked: Asked,
        stations: &[Station],
        running: &Running,
        (clock, dice): (Clock, Dice),
    ) -> impl Future<Output = Result<Self, Error>> + use<> {
        let lifecycle = Lifecycle::default();
        let parts = Parts {
            lifecycle: lifecycle.clone(),
            publisher: running.publisher().clone(),
            clock,
            dice,
            observers: Observers::default(),
            board: running.board.clone(),
            light: Light::default(),
        };
        let mut ways: Vec<Way> = stations.iter().flat_map(|station| ways(station, &asked.told)).collect();
        ways.sort_by(|one, other| one.contract.name.cmp(other.contract.name));
        let site = Site { service: asked.service, board: running.board.clone(), ways };
        let (router, options) = (admin::router(site, asked.figures), admin::options(asked.address));
        async move {
            let bound = Bound::new(router, options).await.map_err(refused)?;
            let address = Some(bound.address());
            lifecycle.spawn(bound.open(parts).map_err(refused)?.run());
            Ok(Self { address, lifecycle })
        }
    }

    /// The last thing to close.
    pub(crate) async fn close(&self) {
        self.lifecycle.drain();
        if !self.lifecycle.finished_within(GOODBYE).await {
            self.lifecycle.cut();
        }
    }
}

/// Why it cannot be had, told apart from the routes.
fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Setting(text) => Error::new(ErrorKind::Setting, text.replacen("HTTP", "admin", 1)),
        Refused::Address(address, error) => {
            Error::new(ErrorKind::Http, format!("the admin listener cannot have `{address}`")).caused_by(error)
        }
    }
}

/// The ways of the events that a station handles.
fn ways<'a>(station: &'a Station, told: &'a [(Arc<Route>, Told)]) -> impl Iterator<Item = Way> + 'a {
    station.queue.bindings.iter().zip(&station.routes).filter_map(|(binding, route)| {
        let (_, told) = told.iter().find(|(known, _)| Arc::ptr_eq(known, route))?;
        let (via, queue) = (station.via.clone(), station.queue.clone());
        let (contract, handler) = (route.contract, route.name.clone());
        let (timeout, delays) = (route.timeout, route.retry.delays().to_vec());
        Some(Way { via, queue, binding: binding.clone(), contract, handler, timeout, delays, told: *told })
    })
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.lifecycle.drain();
        self.lifecycle.cut();
    }
}
