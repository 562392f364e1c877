//! TLS towards clients: the certificates, the key, and the handshake.

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
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject},
        },
    },
    server::TlsStream,
};

use super::options::HttpOptions;

/// Where certificates and key are, if TLS is wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    certificates: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// Shakes hands with clients.
pub(super) struct Tls(TlsAcceptor);

/// How a server is asked.
pub(super) fn scheme(tls: Option<&Tls>) -> &'static str {
    if tls.is_some() { "https" } else { "http" }
}

impl HttpOptions {
    /// Speaks TLS (1.2 and later) with the certificates and the key in these PEM files, as the settings
    /// `http.tls.certificates` and `http.tls.key` do. They are read at the start; relative paths begin at the working
    /// folder.
    pub fn tls(mut self, certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Wanted::of(certificates.into(), key.into());
        self
    }
}

impl Wanted {
    /// TLS with what is in these files.
    pub(super) fn of(certificates: PathBuf, key: PathBuf) -> Self {
        Self { certificates: Some(certificates), key: Some(key) }
    }

    pub(super) fn with_certificates(&mut self, path: PathBuf) -> Result<(), &'static str> {
        self.certificates = Some(path);
        Ok(())
    }

    pub(super) fn with_key(&mut self, path: PathBuf) -> Result<(), &'static str> {
        self.key = Some(path);
        Ok(())
    }

    /// Reads what is wanted.
    pub(super) fn read(&self) -> Result<Option<Tls>, String> {
        let (certificates, key) = match (&self.certificates, &self.key) {
            (None, None) => return Ok(None),
            (Some(certificates), Some(key)) => (certificates, key),
            (Some(alone), None) => return Err(without("http.tls.certificates", alone, "http.tls.key")),
            (None, Some(alone)) => return Err(without("http.tls.key", alone, "http.tls.certificates")),
        };
        let chain = CertificateDer::pem_file_iter(certificates).and_then(Iterator::collect);
        let chain: Vec<_> = chain.map_err(|error| unreadable(certificates, "certificate", &error))?;
        if chain.is_empty() {
            return Err(unreadable(certificates, "certificate", &pem::Error::NoItemsFound));
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, "private key", &error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, private));
        let mut config = config.map_err(|error| {
            let (certificates, key) = (shown(certificates), shown(key));
            format!("HTTP over TLS cannot use the certificates in `{certificates}` with the key in `{key}`: {error}")
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Tls(TlsAcceptor::from(Arc::new(config)))))
    }
}

impl Tls {
    pub(super) async fn handshake<T: AsyncRead + AsyncWrite + Unpin>(&self, io: T) -> io::Result<TlsStream<T>> {
        self.0.accept(io).await
    }
}

/// One paper of two.
fn without(given: &str, path: &Path, missing: &str) -> String {
    format!("`{given}` is `{}` and there is no `{missing}`: HTTP over TLS needs both, or neither", shown(path))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// Why a file is of no use; nothing that stands in it is shown.
fn unreadable(path: &Path, what: &str, error: &pem::Error) -> String {
    let path = shown(path);
    match error {
        pem::Error::NoItemsFound => {
            format!("HTTP over TLS cannot use `{path}`: there is no {what} in it, as PEM has it")
        }
        pem::Error::Io(error) => format!("HTTP over TLS cannot read `{path}`: {error}"),
        _ => format!("HTTP over TLS cannot use `{path}`: it is no PEM"),
    }
}
