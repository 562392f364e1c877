//! TLS towards clients: the certificate, and the handshake.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

use super::options::HttpOptions;

/// Where certificate and key are, if TLS is wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Option<(PathBuf, PathBuf)>);

/// Shakes hands with clients.
pub(super) struct Tls(TlsAcceptor);

impl HttpOptions {
    /// Speaks TLS (1.2 and later) with the certificates and the key in these PEM files. They are read at the start.
    pub fn tls(mut self, certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Wanted::of(certificates.into(), key.into());
        self
    }
}

impl Wanted {
    /// TLS with what is in these files.
    pub(super) fn of(certificates: PathBuf, key: PathBuf) -> Self {
        Self(Some((certificates, key)))
    }

    /// Reads what is wanted.
    pub(super) fn read(&self) -> Result<Option<Tls>, String> {
        let Some((certificates, key)) = &self.0 else { return Ok(None) };
        let chain = CertificateDer::pem_file_iter(certificates).and_then(Iterator::collect);
        let chain: Vec<_> = chain.map_err(|error| unreadable(certificates, error))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| unreadable(certificates, error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Tls(TlsAcceptor::from(Arc::new(config)))))
    }
}

impl Tls {
    pub(super) async fn handshake<T: AsyncRead + AsyncWrite + Unpin>(&self, io: T) -> io::Result<TlsStream<T>> {
        self.0.accept(io).await
    }
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> String {
    format!("HTTP over TLS cannot use `{}`: {error}", path.display())
}
