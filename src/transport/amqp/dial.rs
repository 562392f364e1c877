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

    const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");

    fn dialer(url: &str) -> Result<Dialer, TransportError> {
        Dialer::to(&Address::parse(url).expect("a good URL"))
    }

    fn trusting(authority: &str, port: u16) -> Result<Dialer, TransportError> {
        dialer(&format!("amqps://me:canary@localhost:{port}?ca={CERTIFICATES}/{authority}"))
    }

    /// Why nobody was reached who may be talked to, with every cause.
    async fn failure(dialer: Dialer) -> (TransportErrorKind, String) {
        let error = dialer.dial().await.err().expect("a failure");
        let text = format!("{error:?}");
        assert!(error.to_string().starts_with("the broker `") && !text.contains("canary"), "{text}");
        (error.kind(), text)
    }

    async fn assert_refused(port: u16, why: &str) {
        let (kind, text) = failure(trusting("authority.pem", port).expect("good authorities")).await;
        assert!(kind == TransportErrorKind::Refused && text.contains(why), "{kind:?}: {text}");
    }

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        (listener, port)
    }

    /// A TLS server that shows this certificate and repeats what it hears.
    async fn shows(certificate: &str) -> u16 {
        let (listener, port) = listener().await;
        let chain = CertificateDer::from_pem_file(format!("{CERTIFICATES}/{certificate}.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(format!("{CERTIFICATES}/server.key")).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("ring has all").with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![chain], key).expect("they fit")));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let Ok(mut tls) = acceptor.accept(tcp).await else { continue };
                let mut word = [0; 4];
                tls.read_exact(&mut word).await.expect("a word");
                tls.write_all(&word).await.expect("is heard");
            }
        });
        port
    }

    /// A server that answers the first bytes of whoever comes with these, and hangs up.
    async fn says(answer: &'static [u8]) -> u16 {
        let (listener, port) = listener().await;
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let _ = tcp.read(&mut [0; 4096]).await.expect("a greeting");
                tcp.write_all(answer).await.expect("is heard");
            }
        });
        port
    }

    async fn assert_repeats(dialer: &Dialer) {
        let mut stream = dialer.dial().await.expect("reached");
        stream.write_all(b"AMQP").await.expect("written");
        stream.flush().await.expect("flushed");
        let mut heard = [0; 4];
        stream.read_exact(&mut heard).await.expect("an answer");
        assert_eq!(&heard, b"AMQP");
    }

    #[tokio::test]
    async fn f25_a_broker_of_a_known_authority_is_talked_to_as_often_as_wished() {
        let dialer = trusting("authority.pem", shows("good").await).expect("good authorities");
        assert_repeats(&dialer).await;
        assert_repeats(&dialer).await;
    }

    #[tokio::test]
    async fn f25_a_certificate_holds_for_an_ip_address_too() {
        let port = shows("good").await;
        let url = format!("amqps://me:canary@127.0.0.1:{port}?ca={CERTIFICATES}/authority.pem");
        assert_repeats(&dialer(&url).expect("good authorities")).await;
    }

    #[tokio::test]
    async fn f25_a_broker_without_tls_is_talked_to_where_the_url_says_so() {
        let port = says(b"AMQP").await;
        assert_repeats(&dialer(&format!("amqp://localhost:{port}")).expect("a dialer")).await;
    }

    #[tokio::test]
    async fn f25_an_expired_certificate_is_refused() {
        assert_refused(shows("expired").await, "has expired").await;
    }

    #[tokio::test]
    async fn f25_a_certificate_for_another_name_is_refused() {
        assert_refused(shows("elsewhere").await, "for another name").await;
    }

    #[tokio::test]
    async fn f25_a_self_signed_certificate_is_refused() {
        assert_refused(shows("stranger").await, "unknown authority; name the authority's PEM file with `ca=`").await;
    }

    #[tokio::test]
    async fn f25_an_authority_that_is_not_named_is_unknown() {
        let (kind, text) = failure(trusting("stranger.pem", shows("good").await).expect("an authority")).await;
        assert!(kind == TransportErrorKind::Refused && text.contains("unknown authority"), "{kind:?}: {text}");
    }

    #[tokio::test]
    async fn f25_a_peer_that_answers_in_plaintext_is_refused() {
        assert_refused(says(b"AMQP\0\0\x09\x01").await, "not in TLS").await;
    }

    #[tokio::test]
    async fn f25_a_peer_of_old_tls_alone_is_refused() {
        // The alert `protocol_version`, as a server of TLS 1.1 sends it.
        assert_refused(says(&[21, 3, 2, 0, 2, 2, 70]).await, "1.2 or later").await;
    }

    #[tokio::test]
    async fn n1_a_peer_in_trouble_may_be_back_soon() {
        // The alert `internal_error`.
        let port = says(&[21, 3, 3, 0, 2, 2, 80]).await;
        let (kind, text) = failure(trusting("authority.pem", port).expect("good authorities")).await;
        assert!(kind == TransportErrorKind::Unreachable && text.contains("TLS handshake"), "{kind:?}: {text}");
    }

    #[tokio::test]
    async fn n1_a_peer_that_hangs_up_may_be_back_soon() {
        let (kind, text) = failure(trusting("authority.pem", says(b"").await).expect("good authorities")).await;
        assert!(kind == TransportErrorKind::Unreachable && text.contains("TLS handshake"), "{kind:?}: {text}");
    }

    #[tokio::test]
    async fn n3_a_silent_peer_is_given_up_on() {
        let (_silent, port) = listener().await;
        let limit = Duration::from_millis(100);
        let silent = Dialer { limit, ..trusting("authority.pem", port).expect("good authorities") };
        let (kind, text) = failure(silent).await;
        assert!(kind == TransportErrorKind::Unreachable && text.contains("timed out"), "{kind:?}: {text}");
    }

    #[tokio::test]
    async fn n1_a_port_nobody_listens_on_may_be_open_soon() {
        let (closed, port) = listener().await;
        drop(closed);
        let (kind, text) = failure(dialer(&format!("amqp://localhost:{port}")).expect("a dialer")).await;
        let told = text.contains(&format!("127.0.0.1:{port} does not answer")) || text.contains("[::1]");
        assert!(kind == TransportErrorKind::Unreachable && told, "{kind:?}: {text}");
    }

    #[tokio::test]
    async fn n1_a_name_nobody_has_may_be_given_soon() {
        // Longer than a name's part may be, so that no name server is asked.
        let name = "x".repeat(64);
        let nobody = dialer(&format!("amqp://me:canary@{name}.invalid?plaintext=allow")).expect("a dialer");
        let (kind, text) = failure(nobody).await;
        assert!(kind == TransportErrorKind::Unreachable && text.contains(&name), "{kind:?}: {text}");
    }

    #[test]
    fn k1_a_file_without_authorities_is_a_wrong_setting() {
        let broken = std::env::temp_dir().join(format!("tegami-{}.pem", std::process::id()));
        std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("written");
        let broken = broken.to_str().expect("a plain path");
        for (file, why) in [
            (format!("{CERTIFICATES}/nothing.pem"), "cannot be read"),
            (format!("{CERTIFICATES}/server.key"), "holds no certificate"),
            (format!("{CERTIFICATES}/make"), "holds no certificate"),
            (broken.to_owned(), "is broken"),
        ] {
            let error = dialer(&format!("amqps://me:canary@localhost?ca={file}")).err().expect(why);
            let text = error.to_string();
            assert_eq!(error.kind(), TransportErrorKind::Setting, "{error:?}");
            assert!(text.contains("`ca`") && text.contains(&file) && text.contains(why), "{text}");
        }
        std::fs::remove_file(broken).expect("was there");
    }
}
