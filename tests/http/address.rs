//! Whom a request is from.

use tegami::{
    Error,
    http::{
        ClientAddress,
        axum::{Router, extract::ConnectInfo, routing::get as on_get},
    },
};

use crate::{client::ask, serve};

fn router() -> Router {
    let connected = async |ConnectInfo(peer): ConnectInfo<std::net::SocketAddr>| peer.ip().to_string();
    Router::new()
        .route("/", on_get(async |ClientAddress(address): ClientAddress| address.to_string()))
        .route("/peer", on_get(connected))
}

fn from(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 198.51.100.7\r\n\r\n")
}

#[tokio::test]
async fn w1_only_a_listed_proxy_is_believed() -> Result<(), Error> {
    let service = serve(router(), |http| http).await?;
    assert_eq!(ask(&service, from("/")).await.text(), "127.0.0.1");
    let proxied = serve(router(), |http| http.trust_proxies(["127.0.0.0/8"])).await?;
    assert_eq!(ask(&proxied, from("/")).await.text(), "198.51.100.7");
    assert_eq!(ask(&proxied, from("/peer")).await.text(), "127.0.0.1");
    let error = serve(router(), |http| http.trust_proxies(["127.0.0.0/33"])).await.err().expect("no such network");
    assert!(error.to_string().contains("127.0.0.0/33"), "{error}");
    Ok(())
}
