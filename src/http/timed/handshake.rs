//! How long a client may take to shake hands.

use std::{io, path::Path};

use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject},
    },
};

use super::*;
use crate::http::tls::Wanted;

/// A server that speaks TLS, with clients that are so quick.
fn secure(handshake: Duration) -> Arc<Shared> {
    let papers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates");
    let tls = Wanted::of(papers.join("good.pem"), papers.join("server.key")).read().expect("the papers are there");
    shared(router(), |limits| limits.handshake = handshake, tls)
}

/// Shakes hands with it, over what came of that so far.
async fn shake(client: DuplexStream) -> io::Result<TlsStream<DuplexStream>> {
    let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates/authority.pem");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("a certificate")).expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for every version");
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, client).await
}

#[tokio::test(start_paused = true)]
async fn w1_a_handshake_has_its_time_and_no_more() {
    let shared = secure(LIMIT);
    let late = connect(&shared, 64 * 1024).await;
    sleep(LIMIT - MOMENT).await;
    let mut late = shake(late).await.expect("it is within its time");
    late.write_all(REQUEST).await.expect("it is open");
    let mut status = [0; 12];
    late.read_exact(&mut status).await.expect("it is answered");
    assert_eq!(&status, b"HTTP/1.1 200");
    let later = connect(&shared, 64 * 1024).await;
    sleep(LIMIT + MOMENT).await;
    assert!(shake(later).await.is_err(), "nobody is there any more");
    let took = closed(&mut connect(&shared, 64 * 1024).await).await;
    assert!(is_time(took, LIMIT), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn w1_the_longest_time_for_a_handshake_never_ends() {
    let late = connect(&secure(Duration::MAX), 64 * 1024).await;
    sleep(1_000_000 * LIMIT).await;
    let mut late = shake(late).await.expect("it is within its time");
    late.write_all(REQUEST).await.expect("it is open");
    let mut status = [0; 12];
    late.read_exact(&mut status).await.expect("it is answered");
    assert_eq!(&status, b"HTTP/1.1 200");
}
