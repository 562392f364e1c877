//! Defaults, then the file, then the environment, then code (K1).

use std::net::IpAddr;

use tegami::{Config, Context, Error, HandlerError, Service, http::axum::Router, transport::Memory};

use crate::contracts::shop::orders::v1::OrderPaid;

/// Which of the layers say something, as bits.
const LAYERS: [&str; 4] = ["file", "environment", "set", "code"];

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

/// What counts, of layers that each say their own number; none, where none does.
fn highest(said: usize) -> Option<usize> {
    (0..LAYERS.len()).rev().find(|layer| said & (1 << layer) != 0)
}

/// The settings of the first three layers, where each that speaks says its own.
fn config(said: usize, key: &str, variable: &str, value: impl Fn(usize) -> String) -> Result<Config, Error> {
    let speaks = |layer: usize| said & (1 << layer) != 0;
    let file = if speaks(0) { format!("{key} = \"{}\"", value(0)) } else { String::new() };
    let told = value(1);
    let config = Config::parse_with(&file, speaks(1).then_some((variable, &*told)))?;
    if speaks(2) { config.set(key, &value(2)) } else { Ok(config) }
}

#[test]
fn k1_of_all_that_say_a_prefix_the_last_in_order_counts() -> Result<(), Error> {
    for said in 0..1 << LAYERS.len() {
        let config = config(said, "prefix", "TEGAMI_PREFIX", |layer| format!("{}-", LAYERS[layer]))?;
        let service = Service::new("billing").on::<OrderPaid>(ignore).config(config);
        let service = if said & 8 != 0 { service.prefix("code-") } else { service };
        let expected = highest(said).map(|layer| format!("{}-", LAYERS[layer])).unwrap_or_default();
        let queue = service.topology()?.queues[0].name.clone();
        assert_eq!(queue, format!("{expected}billing-shop-orders-v1-OrderPaid"), "said by {said:04b}");
    }
    Ok(())
}

#[tokio::test]
async fn k1_of_all_that_say_an_address_the_last_in_order_counts() -> Result<(), Error> {
    for said in 1..1_usize << LAYERS.len() {
        let address = |layer: usize| format!("127.0.0.{}:0", layer + 2);
        let config = config(said, "http.address", "TEGAMI_HTTP", address)?;
        let service = Service::new("billing").transport(Memory::new()).routes(Router::new()).config(config);
        let service = if said & 8 != 0 { service.http(move |http| http.address(address(3))) } else { service };
        let running = service.start().await?;
        let expected = highest(said).map(|layer| IpAddr::from([127, 0, 0, layer as u8 + 2]));
        assert_eq!(running.http_address().map(|address| address.ip()), expected, "said by {said:04b}");
        running.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn two_services_of_one_process_have_settings_of_their_own() -> Result<(), Error> {
    let start = async |prefix: &str| {
        let config = Config::new().set("prefix", prefix)?.set("http.address", "127.0.0.1:0")?;
        let service = Service::new("billing").config(config).transport(Memory::new()).on::<OrderPaid>(ignore);
        let queue = service.topology()?.queues[0].name.clone();
        Ok::<_, Error>((queue, service.routes(Router::new()).start().await?))
    };
    let (one, other) = (start("one-").await?, start("other-").await?);
    assert!(one.0.starts_with("one-") && other.0.starts_with("other-"));
    assert_ne!(one.1.http_address(), other.1.http_address());
    one.1.stop().await?;
    other.1.stop().await.map(drop)
}
