//! The way to a broker: name, TCP, TLS, all within one deadline. What is said on the stream is not known here.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};

use super::{
    address::Address,
    tls::{self, Tls},
};
use crate::{
    time::Clock,
    transport::{TransportError, TransportErrorKind},
};

/// How long a dial may take in all.
const LIMIT: Duration = Duration::from_secs(5);

/// Bytes to the broker and back, encrypted or not.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// An open connection.
pub(super) type Stream = Box<dyn Duplex>;

/// Opens connections to one broker, as often as needed.
pub(super) struct Dialer {
    host: String,
    port: u16,
    tls: Option<Tls>,
    limit: Duration,
}

impl Dialer {
    /// For the broker at this address. The authorities that TLS trusts are read here, once.
    ///
    /// # Errors
    /// `Setting`: the authorities cannot be read.
    pub(super) fn to(address: &Address) -> Result<Self, TransportError> {
        let tls = address.is_tls().then(|| Tls::of(address)).transpose()?;
        Ok(Self { host: address.host().to_owned(), port: address.port(), tls, limit: LIMIT })
    }

    /// Tries each of the host's IP addresses, until one answers. A silent one leaves the others their share of time.
    ///
    /// # Errors
    /// `Unreachable`: nobody answers in time. `Refused`: somebody does, and is not who we may talk to.
    pub(super) async fn dial(&self) -> Result<Stream, TransportError> {
        let clock = Clock::system();
        let deadline = clock.instant() + self.limit;
        let addresses = self.resolve(deadline).await?;
        let mut failed = unreachable(format!("the broker `{}` has no IP address", self.host));
        for (tried, address) in addresses.iter().enumerate() {
            let left = deadline.saturating_duration_since(clock.instant());
            let share = left.div_f64((addresses.len() - tried) as f64);
            match self.attempt(*address, clock.instant() + share).await {
                Ok(stream) => return Ok(stream),
                // That somebody refuses us says more than that another is silent.
                Err(error) if failed.is_transient() => failed = error,
                Err(_) => {}
            }
        }
        Err(failed)
    }

    async fn resolve(&self, deadline: Instant) -> Result<Vec<SocketAddr>, TransportError> {
        let found = by(deadline, lookup_host((self.host.as_str(), self.port))).await;
        let lost = || unreachable(format!("the broker `{}` cannot be found by its name", self.host));
        Ok(found.map_err(|error| lost().caused_by(error))?.collect())
    }

    async fn attempt(&self, address: SocketAddr, deadline: Instant) -> Result<Stream, TransportError> {
        let broker = format!("the broker `{}` at {address}", self.host);
        let tcp = by(deadline, connect(address)).await;
        let tcp = tcp.map_err(|error| unreachable(format!("{broker} does not answer")).caused_by(error))?;
        let Some(tls) = &self.tls else { return Ok(Box::new(tcp)) };
        match by(deadline, tls.handshake(tcp)).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(tls::verdict(&broker, error)),
        }
    }
}

fn unreachable(text: String) -> TransportError {
    TransportError::new(TransportErrorKind::Unreachable, text)
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// What is not there by the deadline is late.
async fn by<T>(deadline: Instant, opening: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout_at(deadline, opening).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        task::JoinHandle,
    };
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig,
            crypto::ring,
            pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        },
    };

    use super::*;

    const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/transport/amqp/certificates");

    /// Why a dial to this port of `localhost` failed, or the stream.
    async fn dial(port: u16, query: &str) -> Result<Stream, TransportError> {
        let scheme = if query.is_empty() { "amqp" } else { "amqps" };
        let url = format!("{scheme}://me:canary@127.0.0.1:{port}/?{query}");
        Dialer::to(&Address::parse(&url).expect("a good URL"))?.dial().await
    }

    /// Trusts the authority of the tests.
    fn trusting() -> String {
        format!("ca={CERTIFICATES}/authority.pem")
    }

    async fn refusal(port: u16) -> String {
        let error = dial(port, &trusting()).await.err().expect("refused");
        assert_eq!(error.kind(), TransportErrorKind::Refused, "{error:?}");
        assert!(error.to_string().contains("`127.0.0.1` at 127.0.0.1:") && !error.is_transient(), "{error}");
        format!("{error:?}")
    }

    /// A TLS server that shows this certificate and repeats what it hears.
    async fn shows(certificate: &str) -> u16 {
        let chain = CertificateDer::from_pem_file(format!("{CERTIFICATES}/{certificate}.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(format!("{CERTIFICATES}/server.key")).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("ring has all").with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![chain], key).expect("they fit")));
        let (port, _) = listens(async move |tcp| {
            let Ok(mut tls) = acceptor.accept(tcp).await else { return };
            let mut word = [0; 4];
            tls.read_exact(&mut word).await.expect("a word");
            tls.write_all(&word).await.expect("is heard");
        })
        .await;
        port
    }

    /// A server that answers the first bytes of whoever comes with these.
    async fn says(answer: &'static [u8]) -> u16 {
        let (port, _) = listens(async move |mut tcp: TcpStream| {
            let _ = tcp.read(&mut [0; 512]).await.expect("a greeting");
            tcp.write_all(answer).await.expect("is heard");
        })
        .await;
        port
    }

    async fn listens(serve: impl AsyncFnOnce(TcpStream) + Send + 'static) -> (u16, JoinHandle<()>)
    where
        for<'a> <fn() as Never>::Nothing: Sized,
    {
        todo!()
    }
}
