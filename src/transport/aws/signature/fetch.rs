//! Fetching a certificate: over HTTPS, from where it was said to be, and little of it.

use std::time::Duration;

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use tokio::{sync::Semaphore, time::timeout};

use super::{SignatureError, SignatureErrorKind, error::refused};

/// The time for one, from the asking to its last byte.
const LONGEST: Duration = Duration::from_secs(10);
/// The most bytes of one.
const LARGEST: usize = 64 * 1024;
/// So many are fetched at once: each forged message can name another.
const AT_ONCE: usize = 2;

/// Fetches certificates.
#[derive(Debug)]
pub(super) struct Fetch {
    connector: SharedHttpConnector,
    turns: Semaphore,
}

impl Fetch {
    /// Over TLS, with the machine's own roots.
    pub(super) fn new() -> Self {
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        Self::over(SharedHttpConnector::new(connector))
    }

    pub(super) fn over(connector: SharedHttpConnector) -> Self {
        Self { connector, turns: Semaphore::new(AT_ONCE) }
    }

    /// The text at this address, which begins with `https://`.
    pub(super) async fn text(&self, address: &str) -> Result<String, SignatureError> {
        let in_time = timeout(LONGEST, self.ask(address)).await;
        in_time.unwrap_or_else(|late| Err(unreachable("the certificate did not come in time").caused_by(late)))
    }

    async fn ask(&self, address: &str) -> Result<String, SignatureError> {
        let _turn = self.turns.acquire().await;
        let request = HttpRequest::get(address).map_err(|error| unreachable("no such address").caused_by(error))?;
        let answer = self.connector.call(request).await;
        let answer = answer.map_err(|error| unreachable("the certificate could not be asked for").caused_by(error))?;
        // A redirect is none: the certificate is where it was said to be.
        match answer.status().as_u16() {
            200 => read(answer.into_body()).await,
            status => Err(unreachable(&format!("the certificate was answered with status {status}"))),
        }
    }
}

async fn read(body: SdkBody) -> Result<String, SignatureError> {
    let (mut body, mut bytes) = (ByteStream::new(body), Vec::new());
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| unreachable("the certificate broke off").caused_by(error))?;
        if bytes.len() + chunk.len() > LARGEST {
            return Err(refused(SignatureErrorKind::Certificate, "the certificate is too large for one"));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes)
        .map_err(|error| refused(SignatureErrorKind::Certificate, "the certificate is not text").caused_by(error))
}

fn unreachable(text: &str) -> SignatureError {
    refused(SignatureErrorKind::Unreachable, text)
}
