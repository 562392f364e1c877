//! The routes without a socket, for tests: a request goes the way of all others from the front on.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Router, body::Body, http::Request, response::Response};

use super::{
    connection::{self, Line},
    front,
    listener::Refused,
    options::HttpOptions,
    pulse::Pulse,
    server::{Parts, Shared},
};

/// Answers requests of this process.
pub(crate) struct Inside(Arc<Shared>);

impl Inside {
    pub(crate) fn new(router: Router, options: HttpOptions, parts: Parts) -> Result<Self, Refused> {
        options.check().map_err(Refused::Setting)?;
        Ok(Self(Arc::new(Shared::new(None, router, options, parts))))
    }

    /// Answers a request as one from a client on this machine, on a connection of its own.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        let pulse = Pulse::without_bytes(self.0.parts.clock);
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let line = Line::new(self.0.clone(), peer, pulse);
        let Ok(answer) = front::answer(line, request, &connection::waker().await).await;
        answer.map(Body::new)
    }
}
