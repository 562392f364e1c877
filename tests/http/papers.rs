//! The papers of TLS as settings: what is wrong with them stops the start, with the file and the cause (K1).

use std::path::{Path, PathBuf};

use tegami::{Config, Error, ErrorKind, Service, http::axum::Router, service::Running, transport::Memory};

fn paper(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates").join(name)
}

async fn start(config: Config) -> Result<Running, Error> {
    let service = Service::new("billing").transport(Memory::new()).routes(Router::new());
    service.config(config.set("http.address", "127.0.0.1:0")?).start().await
}

fn named(certificates: &Path, key: &Path) -> Config {
    let (certificates, key) = (certificates.display(), key.display());
    Config::parse(&format!("[http.tls]\ncertificates = '{certificates}'\nkey = '{key}'")).expect("keys of tegami")
}

/// What the start says of such papers.
async fn refused(config: Config) -> String {
    let error = start(config).await.err().expect("these are no papers");
    assert_eq!(error.kind(), ErrorKind::Setting);
    error.to_string()
}

#[tokio::test]
async fn k1_papers_are_read_from_the_file_and_the_environment() -> Result<(), Error> {
    let (certificate, key) = (paper("good.pem"), paper("server.key"));
    start(named(&certificate, &key)).await?.stop().await?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let (certificate, key) = (text(&certificate), text(&key));
    let variables = [("TEGAMI_HTTP_TLS_CERTIFICATES", &*certificate), ("TEGAMI_HTTP_TLS_KEY", &*key)];
    start(Config::parse_with("", variables)?).await?.stop().await?;
    Ok(())
}

#[tokio::test]
async fn k1_papers_that_cannot_be_used_are_named_with_the_cause() {
    let (certificate, key) = (paper("good.pem"), paper("server.key"));
    let (elsewhere, manual) = (paper("nowhere.pem"), paper("make"));
    for (config, file, cause) in [
        (named(&elsewhere, &key), &elsewhere, "No such file"),
        (named(&certificate, &elsewhere), &elsewhere, "No such file"),
        (named(&key, &certificate), &key, "there is no certificate in it"),
        (named(&certificate, &certificate), &certificate, "there is no private key in it"),
        (named(&manual, &key), &manual, "there is no certificate in it"),
        (named(&certificate, &manual), &manual, "there is no private key in it"),
        (named(&paper("sns/other.pem"), &key), &key, "key"),
        (named(&paper("sns/other.pem"), &key), &paper("sns/other.pem"), "KeyMismatch"),
    ] {
        let told = refused(config).await;
        assert!(told.contains(&*file.to_string_lossy()) && told.contains(cause), "{told}");
    }
}

#[tokio::test]
async fn k1_one_paper_of_two_is_refused() {
    for (given, missing) in [("http.tls.certificates", "http.tls.key"), ("http.tls.key", "http.tls.certificates")] {
        let told = refused(Config::new().set(given, "alone.pem").expect("a key of tegami")).await;
        let expected =
            format!("`{given}` is `alone.pem` and there is no `{missing}`: HTTP over TLS needs both, or neither");
        assert_eq!(told, expected);
    }
    let error = Config::new().set("http.tls.key", "").expect_err("no path");
    assert_eq!(error.to_string(), "`http.tls.key` (in code) is ``: give the path of a PEM file");
}
