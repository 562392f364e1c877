//! K-03: of many secrets, put wherever a service on RabbitMQ takes anything, none is told; nor by a login that is refused.

use tegami::{error::BoxError, transport::amqp::Amqp};
use tegami_test_servers::Release;
use tokio::net::TcpListener;

use crate::{
    canaries::{Life, canary, live},
    startup::Office,
};

/// Not a test by itself: the process that the test starts.
#[tokio::test]
async fn a_life() -> Result<(), BoxError> {
    live(|url| Amqp::new(url)).await
}

/// Logins that are refused, each with a password of its own.
async fn refused(office: &Office) -> Vec<String> {
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("bound");
    let with = |url: String, number| url.replace(&canary(30), &canary(number));
    let (plain, tls) = (office.url(), office.tls_url());
    let port = |url: &str, of: u16, to: u16| url.replace(&of.to_string(), &to.to_string());
    vec![
        with(plain.clone(), 31),
        with(plain.replace("/startup", "/elsewhere"), 30),
        with(plain.clone(), 32).replace("-32-", "%2d32%2d"),
        with(plain.replace("clerk", "nobody"), 33),
        with(port(&plain, office.0.port(), nobody.port()), 34),
        with(port(&plain, office.0.port(), office.0.tls_port()), 35),
        with(port(&tls, office.0.tls_port(), office.0.port()), 36),
        with(tls.split('?').next().expect("it has a beginning").to_owned(), 37),
        with(tls, 38),
    ]
}

async fn lives(release: Release, format: &str) {
    let office = Office::with_password(release, &canary(30)).await;
    let life = Life::of("canaries_on_rabbitmq::a_life", format).on(&office.url()).refused_by(&refused(&office).await);
    let words = ["attempt failed", "given up", "on purpose", "status_code", "user:***@host", "ACCESS_REFUSED"];
    life.tells(&[&words[..], &["vhost elsewhere not found", "Connection refused", "unknown authority"]].concat()).await;
    office.close().await;
}

#[tokio::test]
async fn k03_no_secret_is_told_on_rabbitmq_3() {
    lives(Release::V3, "console").await;
}

#[tokio::test]
async fn k03_no_secret_is_told_on_rabbitmq_4() {
    lives(Release::V4, "json").await;
}
