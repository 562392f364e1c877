//! `Service::routes` and `Service::http`, and the server's start.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;

pub(crate) use crate::http::admin::Told;
use crate::{
    health::Kind,
    http::{Bound, HttpOptions, Parts, Refused, Server},
    lifecycle::Lifecycle,
    pipeline::Route,
    publisher::Line,
    service::{Error, ErrorKind, Running, Service},
};

/// The routes that a service is to serve.
#[derive(Default)]
pub(crate) struct Wish {
    router: Option<Router>,
    options: HttpOptions,
    pub(super) admin: Option<String>,
    told: Vec<(Arc<Route>, Told)>,
}

/// An admin listener that somebody asked for.
pub(crate) struct Asked {
    pub(super) service: String,
    pub(super) address: String,
    pub(super) told: Vec<(Arc<Route>, Told)>,
}

/// Where they are served, once the service has begun to start.
#[derive(Default)]
pub(crate) struct Place(Option<SocketAddr>);

/// An address that is ours, and answers nobody yet.
pub(crate) struct Ready(Option<Bound>);

/// A server that is let in to, and has not been started.
pub(crate) struct Open(Option<Server>);

impl<S: Clone + Send + Sync + 'static> Service<S> {
    /// Serves these routes over HTTP; called again, these too.
    ///
    /// The router is axum's own: its extractors, its layers. Its state is the service's, so a handler has
    /// `State<S>`; a router that has its state already is given as `router.with_state(…)`.
    /// [`Publisher`](crate::Publisher) is an extractor.
    ///
    /// # Panics
    /// As [`Router::merge`] does, when two routes are the same.
    ///
    /// # Examples
    /// ```
    /// use tegami::{Service, http::axum::{Router, extract::State, routing::get}};
    ///
    /// let router = Router::new().route("/name", get(async |State(name): State<&'static str>| name));
    /// let service = Service::new("billing").state("billing").routes(router);
    /// ```
    pub fn routes(mut self, router: Router<S>) -> Self {
        let router = router.with_state(S::clone(&self.state));
        let wish = &mut self.parts.http;
        wish.router = Some(wish.router.take().unwrap_or_default().merge(router));
        self
    }
}

impl<S> Service<S> {
    /// Chooses how routes are served.
    pub fn http(mut self, choose: impl FnOnce(HttpOptions) -> HttpOptions) -> Self {
        self.parts.http.options = choose(self.parts.http.options);
        self
    }
}

impl Running {
    /// Where the routes are served: the address with its real port. None, if there are none.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.0
    }
}

impl Wish {
    pub(crate) fn is_empty(&self) -> bool {
        self.router.is_none()
    }

    /// Where the admin listener is to be, if anywhere.
    pub(crate) fn admin(&mut self, service: &str, environment: Option<String>) -> Result<Option<Asked>, Error> {
        let told = std::mem::take(&mut self.told);
        Ok(self.admin.take().or(environment).map(|address| Asked { service: service.to_owned(), address, told }))
    }

    /// Keeps what only the types of a subscription tell.
    pub(crate) fn tell(&mut self, route: &Arc<Route>, told: Told) {
        self.told.push((route.clone(), told));
    }

    pub(crate) fn bind(self, address: Option<&str>) -> Result<Ready, Error> {
        let Some(router) = self.router else { return Ok(Ready(None)) };
        let bound = Bound::new(router, self.options, address).map_err(refused)?;
        Ok(Ready(Some(bound)))
    }
}

impl Ready {
    pub(crate) fn place(&self) -> Place {
        Place(self.0.as_ref().map(Bound::address))
    }

    pub(crate) fn open(self, line: &Line, running: &Running) -> Result<Open, Error> {
        let Some(bound) = self.0 else { return Ok(Open(None)) };
        let parts = Parts {
            lifecycle: running.lifecycle.clone(),
            publisher: running.publisher().clone(),
            clock: line.clock,
            dice: line.dice.clone(),
            board: running.board.clone(),
            light: running.board.light(Kind::Http, bound.address().to_string()),
        };
        bound.open(parts).map(|server| Open(Some(server))).map_err(refused)
    }
}

impl Open {
    pub(crate) fn start(self, lifecycle: &Lifecycle) {
        if let Some(server) = self.0 {
            lifecycle.spawn(server.run());
        }
    }
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Setting(text) => Error::new(ErrorKind::Setting, text),
        Refused::Address(address, error) => {
            Error::new(ErrorKind::Http, format!("HTTP cannot listen on `{address}`")).caused_by(error)
        }
    }
}
