//! What the admin listener does not do, whoever asks.

use std::time::Duration;

use tegami::{
    Error, ErrorKind, Service,
    health::{Health, Status},
    http::axum::{Router, http::StatusCode, routing::get as on_get},
    transport::Memory,
};
use tokio::time::Instant;

use super::{ask, service};
use crate::{
    LONG,
    client::{self, Client, get, post},
};

const PATHS: [&str; 8] =
    ["/", "/health/live", "/health/ready", "/catalog", "/topology", "/topology.json", "/asyncapi.json", "/metrics"];

#[tokio::test]
async fn nothing_of_it_is_public_and_nothing_public_is_there() -> Result<(), Error> {
    let routes = Router::new().route("/hello", on_get(async || "hello"));
    let running = service().routes(routes).http(|http| http.address("127.0.0.1:0")).start().await?;
    for path in PATHS {
        assert_eq!(client::ask(&running, get(path)).await.status, 404, "{path}");
        assert_eq!(ask(&running, get(path)).await.status, 200, "{path}");
    }
    assert_eq!(ask(&running, get("/hello")).await.status, 404);
    assert_eq!(client::ask(&running, get("/hello")).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_route_of_ones_own_may_tell_of_health() -> Result<(), Error> {
    let healthz =
        async |health: Health| if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    for (status, answer) in [(Status::degraded("slow"), 200), (Status::down("gone"), 503)] {
        let service = Service::new("billing").transport(Memory::new()).check("disk", move |_| {
            let status = status.clone();
            async { status }
        });
        let service = service.routes(Router::new().route("/healthz", on_get(healthz)));
        let running = service.http(|http| http.address("127.0.0.1:0")).start().await?;
        assert_eq!(client::ask(&running, get("/healthz")).await.status, answer);
    }
    Ok(())
}

#[tokio::test]
async fn there_is_none_unless_somebody_asks() -> Result<(), Error> {
    let running = Service::new("billing").transport(Memory::new()).start().await?;
    assert_eq!(running.admin_address(), None);
    Ok(())
}

#[tokio::test]
async fn k1_an_address_that_cannot_be_had_stops_the_start() {
    let error = service().admin("localhost").start().await.err().expect("no port");
    assert_eq!(error.kind(), ErrorKind::Setting);
    assert_eq!(error.to_string(), "admin address `localhost` is no IP address or host name with a port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it has one").to_string();
    let error = service().admin(&address).start().await.err().expect("it is taken");
    assert_eq!(error.kind(), ErrorKind::Http);
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn it_takes_no_bodies_no_other_methods_and_no_other_paths() -> Result<(), Error> {
    let running = service().start().await?;
    for path in PATHS {
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE"] {
            let answer = ask(&running, format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            assert_eq!(answer.status, 405, "{method} {path}");
        }
        assert_eq!(ask(&running, post(path, "", "")).await.status, 405);
        assert_eq!(ask(&running, post(path, "", "x")).await.status, 413, "no body is read");
        let mut client = Client::at(running.admin_address().expect("it has one")).await;
        assert_eq!(client.head(format!("HEAD {path} HTTP/1.0\r\n\r\n")).await, 200);
        assert_eq!(client.closed().await, client::NOTHING);
    }
    for path in [
        "/health",
        "/health/",
        "/health/live/",
        "//health/live",
        "/health/../health/live",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/health/ready%00",
        "/topology/",
        "/topology.xml",
        "/catalog/",
        "/contracts/",
        "/contracts/a/b",
        "/contracts/..%2f..%2fetc%2fpasswd",
    ] {
        assert_eq!(ask(&running, get(path)).await.status, 404, "{path}");
    }
    assert_eq!(ask(&running, get("/contracts/%ff")).await.status, 400, "no text at all");
    Ok(())
}

#[tokio::test]
async fn b6_its_limits_hold_to_the_byte() -> Result<(), Error> {
    let running = service().start().await?;
    let path = |length: usize| get(&format!("/health/live?{}", "x".repeat(length - "/health/live?".len())));
    assert_eq!(ask(&running, path(1024)).await.status, 200);
    assert_eq!(ask(&running, path(1025)).await.status, 414);
    let heads = |count: usize| {
        let headers: String = (1..count).map(|n| format!("x-{n}: 1\r\n")).collect();
        format!("GET /health/live HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
    };
    assert_eq!(ask(&running, heads(64)).await.status, 200);
    assert_eq!(ask(&running, heads(65)).await.status, 431);
    let sized = |bytes: usize| format!("GET /health/live HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(bytes - 6));
    assert_eq!(ask(&running, sized(8 * 1024)).await.status, 200);
    assert_eq!(ask(&running, sized(8 * 1024 + 1)).await.status, 431);
    Ok(())
}

#[tokio::test]
async fn w2_clients_that_say_nothing_keep_no_probe_out() -> Result<(), Error> {
    let running = service().start().await?;
    let address = running.admin_address().expect("it has one");
    let begun = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(Client::at(address).await);
    }
    // One address has all that it may have; its next connection is refused until the silent ones are put out.
    let answered = async {
        loop {
            let mut client = Client::at(address).await;
            client.send(get("/health/live")).await;
            match client.try_answer().await {
                Some(answer) => return answer.status,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    assert_eq!(tokio::time::timeout(LONG, answered).await.expect("in time"), 200);
    assert!(begun.elapsed() >= Duration::from_secs(5) - Duration::from_millis(100), "they had their time");
    drop(silent);
    Ok(())
}
