//! TLS to the broker: whom we trust, the handshake, and what its failures mean. Nobody can switch the checks off.

use std::{io, path::Path, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        AlertDescription, CertificateError, ClientConfig, Error as TlsError, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::address::{Address, setting};
use crate::{
    error::BoxError,
    transport::{TransportError, TransportErrorKind},
};

/// Whom we trust, and under which name the broker must show itself.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the authorities: the URL's `ca`, or the platform's.
    ///
    /// # Errors
    /// `Setting`: there are none, or the file is none of certificates.
    pub(super) fn of(address: &Address) -> Result<Self, TransportError> {
        let roots = match &address.parameters().ca {
            Some(path) => authorities(path)?,
            None => platform()?,
        };
        let host = address.host();
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| setting(format!("TLS knows no host `{host}`")).caused_by(error))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config(roots))), name })
    }

    /// Shakes hands on a fresh connection.
    pub(super) async fn handshake(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), tcp).await
    }
}

fn config(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for every version")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn authorities(path: &Path) -> Result<RootCertStore, TransportError> {
    let broken = |what: &str, why: BoxError| setting(format!("`ca` is `{}`: {what}", path.display())).caused_by(why);
    let text = std::fs::read(path).map_err(|error| broken("the file cannot be read", error.into()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| broken("the file is no PEM", error.into()))?;
        roots.add(certificate).map_err(|error| broken("a certificate in it is broken", error.into()))?;
    }
    if roots.is_empty() {
        return Err(setting(format!("`ca` is `{}`: the file holds no certificate", path.display())));
    }
    Ok(roots)
}

fn platform() -> Result<RootCertStore, TransportError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let none = setting("`amqps://` needs authorities and the platform has none: name a PEM file with `ca=`");
    Err(found.errors.into_iter().fold(none, TransportError::caused_by))
}

/// What a failed handshake means: a broker that shows the wrong thing is refused for good, one that breaks off may be
/// back soon.
pub(super) fn verdict(broker: &str, error: io::Error) -> TransportError {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<TlsError>());
    let refused = cause.and_then(refusal);
    let (kind, text) = match refused {
        Some(text) => (TransportErrorKind::Refused, text),
        None => (TransportErrorKind::Unreachable, "does not finish the TLS handshake"),
    };
    TransportError::new(kind, format!("{broker} {text}")).caused_by(error)
}

fn refusal(error: &TlsError) -> Option<&'static str> {
    match error {
        TlsError::InvalidCertificate(why) => Some(certificate(why)),
        TlsError::InvalidMessage(_) => Some("answers, but not in TLS; is it the port for `amqp://`?"),
        // A broker that has trouble of its own says so; it may be over soon.
        TlsError::AlertReceived(AlertDescription::InternalError) => None,
        TlsError::PeerIncompatible(_) | TlsError::AlertReceived(_) => {
            Some("agrees to none of our ways of TLS; it takes 1.2 or later")
        }
        _ => None,
    }
}

fn certificate(why: &CertificateError) -> &'static str {
    use CertificateError as Why;
    match why {
        Why::Expired | Why::ExpiredContext { .. } => "shows a certificate that has expired",
        Why::NotValidYet | Why::NotValidYetContext { .. } => "shows a certificate that is not valid yet",
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "shows a certificate for another name; the URL's host must be one of those in it"
        }
        Why::UnknownIssuer => "shows a certificate of an unknown authority; name the authority's PEM file with `ca=`",
        _ => "shows a certificate that does not hold",
    }
}
