//! `Service::routes` and `Service::http`, and the server's start.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use serde_json::Value as Json;

use crate::{
    config::{Absent, Config, Known},
    health::{Kind, Light},
    http::{
        self, Bound, HttpOptions, Parts, Refused, Server,
        admin::{self, Figures},
    },
    lifecycle::Lifecycle,
    publisher::Line,
    service::{Description, Error, ErrorKind, Running, Service},
    telemetry::Observer,
};

/// The routes that a service is to serve.
#[derive(Default)]
pub(crate) struct Wish {
    pub(super) router: Option<Router>,
    /// They are made over what the settings say.
    choices: Vec<Choice>,
    pub(super) admin: Option<String>,
}

/// An admin listener that somebody asked for.
pub(crate) struct Asked {
    pub(super) service: String,
    /// What it describes itself as, in JSON.
    pub(super) topology: String,
    /// The same with its contracts, as an AsyncAPI document.
    pub(super) document: Json,
    pub(super) address: String,
    pub(super) figures: Figures,
}

type Choice = Box<dyn FnOnce(HttpOptions) -> HttpOptions + Send>;

/// Where they are served, and how it is asked, once the service has begun to start.
#[derive(Default)]
pub(crate) struct Place(Option<(SocketAddr, &'static str)>);

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
    /// Chooses how routes are served, whatever the settings say.
    pub fn http(mut self, choose: impl FnOnce(HttpOptions) -> HttpOptions + Send + 'static) -> Self {
        self.parts.http.choices.push(Box::new(choose));
        self
    }
}

impl Place {
    /// What a client would ask; none, if there are no routes.
    pub(crate) fn url(&self) -> Option<String> {
        self.0.map(|(address, scheme)| format!("{scheme}://{address}"))
    }
}

impl Running {
    /// Where the routes are served: the address with its real port. None, if there are none.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.0.map(|(address, _)| address)
    }
}

/// The section `[http]`.
pub(crate) fn keys() -> Result<Box<dyn Known>, Absent> {
    Ok(Box::new(http::keys()))
}

impl Wish {
    pub(crate) fn is_empty(&self) -> bool {
        self.router.is_none()
    }

    /// Where the admin listener is to be, if anywhere.
    ///
    /// It counts what observers see, and is one of them.
    pub(crate) fn admin(
        &mut self,
        describe: impl FnOnce() -> (Description, Json),
        config: &Config,
        observers: &mut Vec<Arc<dyn Observer>>,
    ) -> Option<Asked> {
        let address = self.admin.take().or_else(|| admin::keys().read(config).address)?;
        let figures = Figures::default();
        figures.join(observers);
        let (described, document) = describe();
        let topology = serde_json::to_string_pretty(&described).expect("it is plain data");
        Some(Asked { service: described.service, topology, document, address, figures })
    }

    /// The router, and the options as settings and code have them; none, if there are no routes.
    pub(super) fn chosen(self, config: &Config) -> Option<(Router, HttpOptions)> {
        let options = |choices: Vec<Choice>| choices.into_iter().fold(http::keys().read(config), |o, choose| choose(o));
        self.router.map(|router| (router, options(self.choices)))
    }

    pub(crate) async fn bind(self, config: &Config) -> Result<Ready, Error> {
        let Some((router, options)) = self.chosen(config) else { return Ok(Ready(None)) };
        let bound = Bound::new(router, options).await.map_err(refused)?;
        Ok(Ready(Some(bound)))
    }
}

impl Ready {
    pub(crate) fn place(&self) -> Place {
        Place(self.0.as_ref().map(|bound| (bound.address(), bound.scheme())))
    }

    pub(crate) fn open(self, line: &Line, running: &Running) -> Result<Open, Error> {
        let Some(bound) = self.0 else { return Ok(Open(None)) };
        let light = running.board.light(Kind::Http, bound.address().to_string());
        bound.open(parts(line, running, light)).map(|server| Open(Some(server))).map_err(refused)
    }
}

impl Open {
    pub(crate) fn start(self, lifecycle: &Lifecycle) {
        if let Some(server) = self.0 {
            lifecycle.spawn(server.run());
        }
    }
}

/// What the server has of its service.
pub(super) fn parts(line: &Line, running: &Running, light: Light) -> Parts {
    Parts {
        lifecycle: running.lifecycle.clone(),
        publisher: running.publisher().clone(),
        clock: line.clock,
        dice: line.dice.clone(),
        observers: line.observers.clone(),
        board: running.board.clone(),
        light,
    }
}

pub(super) fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Setting(text) => Error::new(ErrorKind::Setting, text),
        Refused::Address(address, error) => {
            Error::new(ErrorKind::Http, format!("HTTP cannot listen on `{address}`")).caused_by(error)
        }
    }
}
