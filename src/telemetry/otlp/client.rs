//! The way to the collector. The SDK sends from threads of its own; connections live on a thread beside the service's.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::{HttpClient, HttpError, Request, Response, hyper::HyperClient};

use crate::lifecycle::Quarters;

/// The most that one request may take; the SDK has its own limit, which is shorter unless it is set.
const LONGEST: Duration = Duration::from_secs(60);

/// Sends requests; clones share connections.
#[derive(Clone)]
pub(super) struct Client {
    quarters: Arc<Quarters>,
    http: HyperClient<HttpsConnector<HttpConnector>>,
}

impl Client {
    pub(super) fn new(quarters: Arc<Quarters>) -> Result<Self, std::io::Error> {
        let tls =
            HttpsConnectorBuilder::new().with_provider_and_native_roots(rustls::crypto::ring::default_provider())?;
        let connector = tls.https_or_http().enable_http1().build();
        Ok(Self { quarters, http: HyperClient::new(connector, LONGEST, None) })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        self.quarters.run(async move { http.send_bytes(request).await }).await?
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
