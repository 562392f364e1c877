//! `Service::admin`, and the listener's life: there from the beginning of the start to the end of the stop.

use std::{future::Future, net::SocketAddr, time::Duration};

use super::on::Asked;
use crate::{
    catalog::{Catalog, Html},
    config::{Absent, Known},
    health::Light,
    http::{
        Bound, Parts, Refused,
        admin::{self, Site},
    },
    lifecycle::Lifecycle,
    service::{Error, ErrorKind, Running, Service},
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
    /// What a browser would ask; none, if there is no admin listener.
    pub(crate) fn url(&self) -> Option<String> {
        self.address.map(|address| format!("http://{address}"))
    }

    /// Listens, and answers from now on. Nothing is borrowed meanwhile: a service under way is not shared.
    pub(crate) fn open(
        asked: Asked,
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
        let Asked { service, topology, document, address, figures } = asked;
        let links = Html::of("<a href=\"/\">Health</a>");
        let catalog = Catalog::of(&service, &document).page_with(links);
        let site = Site { service, board: running.board.clone(), topology, document, catalog };
        let (router, options) = (admin::router(site, figures), admin::options(address));
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

impl Drop for Admin {
    fn drop(&mut self) {
        self.lifecycle.drain();
        self.lifecycle.cut();
    }
}
