//! The pages and the data, as people and programs get them.
//!
//! `BLESS=1` rewrites the snapshots.

use std::{fs, path::Path};

use serde_json::Value;
use tegami::{
    Context, Error, Event, HandlerError, Retry, Service,
    health::Status,
    http::axum::{Router, routing::get as on_get},
    transport::Memory,
};

use super::{ask, service};
use crate::{
    client::{Client, get},
    contracts::shop::{orders::v1::OrderPaid, shipping::v1::ParcelShipped, warehouse::v1::StockMoved},
};

async fn write_down<E: Event>(_: E, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

fn told() -> Service {
    service()
        .attach("audit", Memory::new())
        .on::<OrderPaid>(write_down)
        .on_with::<OrderPaid>(write_down, |s| s.group("exports").filter(OrderPaid::currency().is("EUR")))
        .on_with::<StockMoved>(write_down, |s| s.halt_on_dead().concurrency(1).via("audit"))
        .on_with::<ParcelShipped>(write_down, |s| s.per_instance().retry(Retry::never()))
        .check("disk", async |_| Status::degraded("nearly full"))
}

/// The text is what is kept under this name.
fn is_as_kept(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/admin/kept").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| fs::write(&path, text)).expect("writable");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, kept, "{name} has changed; BLESS=1 keeps what it is now");
}

/// A page without its style and its script, and without the version at its end.
fn bare(page: &str) -> String {
    let without = |page: &str, tag: &str| match page.split_once(&format!("<{tag}>")) {
        Some((before, rest)) => before.to_owned() + rest.split_once(&format!("</{tag}>")).expect("it ends").1,
        None => page.to_owned(),
    };
    let (begin, end) = page.split_once("<meta http-equiv").expect("it says what it may do");
    let page = begin.to_owned() + end.split_once(">\n").expect("it ends").1;
    let page = without(&without(&page, "style"), "script");
    let lines = page
        .replace(concat!("tegami ", env!("CARGO_PKG_VERSION")), "tegami")
        .replace("</dd>", "</dd>\n")
        .replace("</dt>", "</dt>\n");
    lines.replace("\n\n", "\n")
}

#[tokio::test]
async fn pages_are_as_they_were_looked_at() -> Result<(), Error> {
    let running = told().start().await?;
    for (path, name) in [("/", "index.html"), ("/catalog", "catalog.html")] {
        let answer = ask(&running, get(path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
        is_as_kept(name, &bare(&answer.text()));
    }
    for path in ["/topology.json", "/asyncapi.json", "/contracts/shop.orders.v1.OrderPaid.json", "/health/ready"] {
        let answer = ask(&running, get(path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{path}");
        let name = path.rsplit('/').next().expect("it has a name").trim_end_matches(".json");
        is_as_kept(&format!("{name}.json"), &(answer.text() + "\n"));
    }
    Ok(())
}

#[tokio::test]
async fn a_schema_file_is_the_contract_and_its_example_is_one() -> Result<(), Error> {
    let running = told().start().await?;
    let json = async |path: &str| {
        let answer = ask(&running, get(path)).await;
        serde_json::from_slice::<Value>(&answer.body).expect("JSON")
    };
    let schema = json("/contracts/shop.shipping.v1.ParcelShipped.json").await;
    assert_eq!(&schema, ParcelShipped::schema().as_value());
    let document = json("/asyncapi.json").await;
    let example = |name: &str| document["components"]["messages"][name]["examples"][0]["payload"].clone();
    serde_json::from_value::<ParcelShipped>(example("shop.shipping.v1.ParcelShipped")).expect("it is one");
    serde_json::from_value::<OrderPaid>(example("shop.orders.v1.OrderPaid")).expect("it is one");
    serde_json::from_value::<StockMoved>(example("shop.warehouse.v1.StockMoved")).expect("it is one");
    for unknown in ["shop.billing.v1.ReceiptSent", "shop.orders.v1.OrderPaid", "nothing.json", ".json", "%3Cscript%3E"]
    {
        assert_eq!(ask(&running, get(&format!("/contracts/{unknown}"))).await.status, 404, "{unknown}");
    }
    Ok(())
}

#[tokio::test]
async fn a_service_without_handlers_has_pages_that_say_so() -> Result<(), Error> {
    let running = service().start().await?;
    assert!(ask(&running, get("/catalog")).await.text().contains("It handles no events."));
    Ok(())
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn figures_are_shown_as_openmetrics() -> Result<(), Error> {
    let running = told().start().await?;
    let order = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build();
    running.publisher().publish(&order).await.expect("it is taken");
    let answer = ask(&running, get("/metrics")).await;
    assert_eq!(answer.header("content-type"), Some(tegami::telemetry::Metrics::MEDIA_TYPE));
    assert!(answer.text().contains("event=\"shop.orders.v1.OrderPaid\"} 1\n"), "{}", answer.text());
    assert!(answer.text().ends_with("# EOF\n"));
    Ok(())
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn the_time_of_a_request_is_shown_with_the_trace_of_its_latest_example() -> Result<(), Error> {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let router = Router::new().route("/orders/{id}", on_get(async || "paid"));
    let running = service().routes(router).http(|http| http.address("127.0.0.1:0")).start().await?;
    let mut client = Client::connect(&running).await;
    let traced = format!("GET /orders/o-1 HTTP/1.1\r\nHost: a\r\ntraceparent: 00-{TRACE}-b7ad6b7169203331-01\r\n\r\n");
    // The second answer comes after the first is over, and counted.
    for request in [traced, get("/nowhere")] {
        client.ask(request).await;
    }
    let text = ask(&running, get("/metrics")).await.text();
    let shown = text.lines().filter(|line| line.contains("http_route=\"/orders/{id}\"") && line.contains(TRACE));
    let shown: Vec<&str> = shown.collect();
    assert!(!shown.is_empty(), "{text}");
    for line in shown {
        assert!(line.starts_with("http_server_request_duration_seconds_bucket{"), "{line}");
        assert!(line.contains(&format!("}} 1 # {{trace_id=\"{TRACE}\"}} 0.")), "{line}");
    }
    Ok(())
}
