//! HTTP over TLS: with a certificate of the test's own.

use std::{io::ErrorKind as IoErrorKind, path::PathBuf, sync::Arc, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tegami::{
    Config, Error, ErrorKind, Service,
    http::{
        HttpOptions,
        axum::{Router, routing::get},
    },
    service::Running,
    transport::Memory,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer},
};

const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(60);

/// A certificate for `localhost`, and the files that a service reads.
struct Papers {
    certificate: CertificateDer<'static>,
    files: [PathBuf; 2],
}

fn papers(name: &str) -> Papers {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let files = ["cert", "key"].map(|what| folder.join(format!("{name}-{what}.pem")));
    std::fs::write(&files[0], cert.pem()).expect("the folder is writable");
    std::fs::write(&files[1], signing_key.serialize_pem()).expect("the folder is writable");
    Papers { certificate: cert.der().clone(), files }
}

async fn serve(choose: impl FnOnce(HttpOptions) -> HttpOptions + Send + 'static) -> Result<Running, Error> {
    let router = Router::new().route("/", get(async || "hello"));
    let service = Service::new("billing").transport(Memory::new()).routes(router);
    service.http(|http| choose(http.address("127.0.0.1:0"))).start().await
}

/// What a client is answered that prefers this protocol, and trusts this certificate.
async fn ask(service: &Running, papers: &Papers, protocol: &[u8]) -> (Option<Vec<u8>>, String) {
    let mut roots = RootCertStore::empty();
    roots.add(papers.certificate.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for every version");
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let tcp = TcpStream::connect(service.http_address().expect("it has routes")).await.expect("it listens");
    let name = "localhost".try_into().expect("a name");
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.expect("a handshake");
    let chosen = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.expect("it is sent");
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await.expect("in time");
    (chosen, String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn http_is_served_over_tls_with_both_protocols_offered() -> Result<(), Error> {
    let papers = papers("served");
    let [certificate, key] = papers.files.clone();
    let service = serve(|http| http.tls(certificate, key)).await?;
    let (chosen, answer) = ask(&service, &papers, b"http/1.1").await;
    assert_eq!(chosen.as_deref(), Some(b"http/1.1".as_slice()));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
    assert_eq!(ask(&service, &papers, b"h2").await.0.as_deref(), Some(b"h2".as_slice()));
    Ok(())
}

#[tokio::test]
async fn papers_that_settings_name_are_shown_to_clients() -> Result<(), Error> {
    let papers = papers("settings");
    let [certificate, key] = papers.files.each_ref().map(|file| file.to_str().expect("text"));
    let config = Config::new().set("http.tls.certificates", certificate)?.set("http.tls.key", key)?;
    let service =
        Service::new("billing").transport(Memory::new()).routes(Router::new().route("/", get(async || "hello")));
    let service = service.config(config.set("http.address", "127.0.0.1:0")?).start().await?;
    assert!(ask(&service, &papers, b"http/1.1").await.1.ends_with("hello"));
    Ok(())
}

#[tokio::test]
async fn w1_a_handshake_that_does_not_come_is_not_waited_for() -> Result<(), Error> {
    let papers = papers("silent");
    let limit = |http: HttpOptions| http.limits(|limits| (limits.handshake, limits.connections) = (SHORT, 1));
    let [certificate, key] = papers.files.clone();
    let service = serve(move |http| limit(http.tls(certificate, key))).await?;
    let address = service.http_address().expect("it has routes");
    let mut silent = TcpStream::connect(address).await.expect("it listens");
    let read = tokio::time::timeout(LONG, silent.read(&mut [0; 1])).await.expect("in time");
    assert!(matches!(read, Ok(0) | Err(_)));
    let mut plain = TcpStream::connect(address).await.expect("it listens");
    plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("it is sent");
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(LONG, plain.read_to_end(&mut answer)).await.expect("in time");
    assert!(!answer.starts_with(b"HTTP"), "nothing is said in the clear");
    assert!(ask(&service, &papers, b"http/1.1").await.1.ends_with("hello"));
    Ok(())
}

/// Handshakes that never end, all at once.
const HALF_OPEN: usize = 500;

/// Clients that send nothing, or the first bytes of a handshake.
async fn half_open(service: &Running) -> Vec<TcpStream> {
    let address = service.http_address().expect("it has routes");
    let mut clients = Vec::new();
    for n in 0..HALF_OPEN {
        let mut client = TcpStream::connect(address).await.expect("it listens");
        client.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00][..n % 6]).await.expect("it is sent");
        clients.push(client);
    }
    clients
}

/// Has the server not let it go?
async fn is_held(client: &TcpStream) -> bool {
    tokio::task::yield_now().await;
    client.try_read(&mut [0; 1]).is_err_and(|error| error.kind() == IoErrorKind::WouldBlock)
}

#[tokio::test]
async fn w1_five_hundred_handshakes_that_never_end_disturb_nobody() -> Result<(), Error> {
    let papers = papers("slow");
    // On a slow machine the first would be let go before the last is there.
    for patience in [3, 9, 27].map(Duration::from_secs) {
        let [certificates, key] = papers.files.clone();
        let limit = move |http: HttpOptions| {
            http.limits(|limits| (limits.handshake, limits.connections_per_address) = (patience, 1_000))
        };
        let service = serve(move |http| limit(http.tls(certificates, key))).await?;
        let slow = half_open(&service).await;
        assert!(ask(&service, &papers, b"http/1.1").await.1.ends_with("hello"), "a good client is served");
        let mut held = 0;
        for client in &slow {
            held += usize::from(is_held(client).await);
        }
        let all_gone = async {
            for client in &slow {
                while is_held(client).await {
                    assert!(ask(&service, &papers, b"http/1.1").await.1.ends_with("hello"), "a good client is served");
                }
            }
        };
        tokio::time::timeout(LONG + patience, all_gone).await.expect("they are let go");
        if held == HALF_OPEN {
            return Ok(());
        }
    }
    panic!("they were never there all at once");
}

#[tokio::test]
async fn k1_papers_that_are_not_there_stop_the_start() {
    let papers = papers("swapped");
    let [certificate, key] = papers.files;
    for [certificate, key] in [[certificate.clone(), "/nowhere".into()], [key, certificate]] {
        let [first, second] = [certificate.clone(), key.clone()];
        let error = serve(|http| http.tls(first, second)).await.err().expect("these are no papers");
        assert_eq!(error.kind(), ErrorKind::Setting);
        let named = [certificate, key].iter().any(|path| error.to_string().contains(&*path.to_string_lossy()));
        assert!(named, "{error}");
    }
}
