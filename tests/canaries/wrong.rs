//! Settings that are wrong and transports that cannot be had, each with a secret within.

use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use tegami::{Config, Error, Secret, Service, telemetry::Otlp};
use tokio::time::timeout;

use super::{canary, life::tell};

/// How long a start may take that is refused; one that waits for its transport has told by then.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize)]
struct App {
    #[expect(dead_code, reason = "it is never read so far")]
    key: Secret,
    #[expect(dead_code, reason = "it is never read so far")]
    nested: Vec<Secret>,
}

fn tell_error(error: &Error) {
    tell((error.to_string(), error));
}

/// Settings that are wrong.
pub fn settings() {
    let files = [
        format!("transport = 'amqp://user:{}@host.example'\ndrain = -1", canary(6)),
        format!("password = '{}'", canary(7)),
        format!("prefix = '{}", canary(8)),
        format!("transport = '{}' x", canary(9)),
        format!("transport = ['{}']", canary(10)),
        format!("= {}", canary(11)),
    ];
    for file in files {
        tell_error(&Config::parse(&file).expect_err("it is wrong"));
    }
    let variables = [("TEGAMI_PASSWORD", canary(12)), ("TEGAMI_TRANSPROT", format!("amqp://u:{}@h", canary(13)))];
    for (name, value) in variables {
        tell_error(&Config::parse_with("", [(name, &*value)]).expect_err("it is wrong"));
    }
    for app in [
        format!("[app]\nkey = ['{}']\nnested = []", canary(14)),
        format!("[app]\nkey = 'x'\nnested = '{}'", canary(15)),
        format!("[app]\nkey = 'x'\nnested = {{ x = '{}' }}", canary(16)),
    ] {
        tell_error(&Config::parse(&app).and_then(|config| config.app::<App>()).expect_err("it is wrong"));
    }
}

/// Collectors whose address has credentials in it.
pub fn collectors() {
    for address in [
        format!("https://user:{}@host.example", canary(41)),
        format!("http://{}@127.0.0.1:1", canary(42)),
        format!("ftp://user:{}@host.example", canary(43)),
        canary(44),
    ] {
        let refused = Otlp::to(&address, "billing").expect_err("it is refused");
        tell((refused.to_string(), refused));
    }
}

/// Transports that no build has, or that are not safe.
pub async fn transports() -> Result<(), Error> {
    for url in [
        format!("pigeon://user:{}@host", canary(17)),
        format!("amqp://user:{}@host.example", canary(18)),
        format!("amqps://user:{}@host.example?verify=none", canary(19)),
        format!("amqps://user{}@host.example", canary(20)),
        format!("aws:eu-west-1?endpoint=https://user:{}@host.example", canary(21)),
        canary(22),
    ] {
        let config = Config::new().set("transport", &url)?;
        tell(&config);
        let service = Service::new("billing").config(config).started(async |_| Ok::<(), String>(()));
        tell_error(&service.start().await.err().expect("there is no such transport"));
    }
    Ok(())
}

/// Transports that are there, and do not let anybody in.
pub async fn refused(urls: &str) -> Result<(), Error> {
    // All at once, for some of them are waited for to the end.
    let starts = urls.lines().map(async |url| {
        let service = Service::new("billing").config(Config::new().set("transport", url)?);
        let service = service.on::<crate::contracts::shop::orders::v1::OrderPaid>(async |_, _| Ok(()));
        match timeout(REFUSED_WITHIN, service.start()).await {
            Ok(Ok(_)) => panic!("it was let in"),
            Ok(Err(error)) => tell_error(&error),
            Err(_) => tell("it goes on waiting"),
        }
        Ok(())
    });
    join_all(starts).await.into_iter().collect()
}
