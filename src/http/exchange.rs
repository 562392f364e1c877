//! What a request's extractors find: who asks, and what its publishes carry on.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::http::HeaderMap;

use super::server::Shared;
use crate::{
    envelope::MessageId,
    publisher::{Publisher, Trace},
};

/// Headers that may name the conversation a request belongs to, the first one first.
pub(super) const CORRELATION: [&str; 2] = ["x-correlation-id", "x-request-id"];

/// One request and its answer, as extractors see it.
#[derive(Clone)]
pub(super) struct Exchange(Arc<Facts>);

struct Facts {
    shared: Arc<Shared>,
    client: IpAddr,
    publisher: OnceLock<Publisher>,
}

impl Exchange {
    pub(super) fn new(shared: Arc<Shared>, client: IpAddr) -> Self {
        Self(Arc::new(Facts { shared, client, publisher: OnceLock::new() }))
    }

    /// What the server knows.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Whom the request is from.
    pub(super) fn client(&self) -> IpAddr {
        self.0.client
    }

    /// The service's publisher; all that one request publishes is one conversation.
    pub(super) fn publisher(&self, headers: &HeaderMap) -> Publisher {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let make = || {
            let told = CORRELATION.iter().find_map(|name| text(name).and_then(MessageId::parse));
            let correlation = told.unwrap_or_else(|| MessageId::draw(&self.0.shared.parts.dice));
            self.0.shared.parts.publisher.asked_by(correlation, Trace::read(text))
        };
        self.0.publisher.get_or_init(make).clone()
    }
}
