//! The pages and the data, as people and programs get them.
//!
//! `BLESS=1` rewrites the snapshots.

use std::{fs, path::Path};

use serde_json::Value;
use tegami::{Context, Error, Event, HandlerError, Retry, Service, health::Status, transport::Memory};

use super::{ask, service};
use crate::{
    client::get,
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

/// A page without its style, and without the version at its end.
fn bare(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").expect("it has a style");
    let (_, after) = rest.split_once("</style>").expect("it ends");
    let after = after.replace(concat!("tegami ", env!("CARGO_PKG_VERSION")), "tegami");
    let lines = format!("{before}{after}").replace("</dd>", "</dd>\n").replace("</dt>", "</dt>\n");
    lines.replace("\n\n", "\n")
}

#[tokio::test]
async fn pages_are_as_they_were_looked_at() -> Result<(), Error> {
    let running = told().start().await?;
    for (path, name) in [
        ("/", "index.html"),
        ("/topology", "topology.html"),
        ("/contracts", "contracts.html"),
        ("/contracts/shop.orders.v1.OrderPaid", "OrderPaid.html"),
        ("/contracts/shop.shipping.v1.ParcelShipped", "ParcelShipped.html"),
    ] {
        let answer = ask(&running, get(path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
        is_as_kept(name, &bare(&answer.text()));
    }
    for path in ["/topology.json", "/contracts.json", "/contracts/shop.orders.v1.OrderPaid.json", "/health/ready"] {
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
    let schema = ask(&running, get("/contracts/shop.shipping.v1.ParcelShipped.json")).await;
    let schema: Value = serde_json::from_slice(&schema.body).expect("JSON");
    assert_eq!(&schema, ParcelShipped::schema().as_value());
    for name in ["shop.orders.v1.OrderPaid", "shop.shipping.v1.ParcelShipped", "shop.warehouse.v1.StockMoved"] {
        let page = ask(&running, get(&format!("/contracts/{name}"))).await.text();
        let (_, rest) = page.split_once("<pre class=\"card\">").expect("it has an example");
        let (example, _) = rest.split_once("</pre>").expect("it ends");
        let example: Value = serde_json::from_str(&example.replace("&quot;", "\"")).expect("JSON");
        match name {
            "shop.shipping.v1.ParcelShipped" => drop(serde_json::from_value::<ParcelShipped>(example).expect(name)),
            "shop.orders.v1.OrderPaid" => drop(serde_json::from_value::<OrderPaid>(example).expect(name)),
            _ => drop(serde_json::from_value::<StockMoved>(example).expect(name)),
        }
    }
    for unknown in ["shop.billing.v1.ReceiptSent", "nothing", "nothing.json", ".json", "%3Cscript%3E"] {
        assert_eq!(ask(&running, get(&format!("/contracts/{unknown}"))).await.status, 404, "{unknown}");
    }
    Ok(())
}

#[tokio::test]
async fn a_service_without_handlers_has_pages_that_say_so() -> Result<(), Error> {
    let running = service().start().await?;
    for path in ["/topology", "/contracts"] {
        assert!(ask(&running, get(path)).await.text().contains("handles no events"), "{path}");
    }
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
