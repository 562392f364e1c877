//! `Service::admin`, and the listener's life: there from the beginning of the start to the end of the stop.

use std::{net::SocketAddr, time::Duration};

use super::on::refused;
use crate::{
    health::Light,
    http::{Bound, Parts, admin},
    lifecycle::Lifecycle,
    service::{Error, Running, Service, plan::Station},
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

impl Running {
    /// Where the admin listener is: the address with its real port. None, if there is none.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.address
    }
}

impl Admin {
    /// Listens, and answers from now on.
    pub(crate) fn open(
        address: String,
        stations: &[Station],
        running: &Running,
        (clock, dice): (Clock, Dice),
    ) -> Result<Self, Error> {
        let lifecycle = Lifecycle::default();
        let parts = Parts {
            lifecycle: lifecycle.clone(),
            publisher: running.publisher().clone(),
            clock,
            dice,
            light: Light::default(),
        };
        let _ = stations;
        let router = admin::router(running.board.clone());
        let bound = Bound::new(router, admin::options(address), None).map_err(refused)?;
        let address = Some(bound.address());
        lifecycle.spawn(bound.open(parts).map_err(refused)?.run());
        Ok(Self { address, lifecycle })
    }

    /// The last thing to close.
    pub(crate) async fn close(&self) {
        self.lifecycle.drain();
        if !self.lifecycle.finished_within(GOODBYE).await {
            self.lifecycle.cut();
        }
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.lifecycle.drain();
        self.lifecycle.cut();
    }
}
