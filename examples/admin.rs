//! Health and the admin listener: what probes and people can ask of a running service.
//!
//! ```console
//! $ TEGAMI_ADMIN=127.0.0.1:9000 cargo run --example admin --features http
//! $ curl -s 127.0.0.1:9000/health/live
//! {
//!   "state": "up"
//! }
//! $ curl -s 127.0.0.1:9000/health/ready | grep -B 3 reason
//!       "kind": "check",
//!       "name": "disk",
//!       "state": "degraded",
//!       "reason": "nearly full: 93 % of /var/lib/billing is used"
//! $ curl -s 127.0.0.1:9000/topology.json | grep filter
//!           "filter": "currency is \"EUR\"",
//! $ curl -s -o /dev/null -w '%{http_code} %{content_type}\n' 127.0.0.1:9000/catalog
//! 200 text/html; charset=utf-8
//! ```
//!
//! Then open http://127.0.0.1:9000/.

mod contracts {
    tegami::include_contracts!();
}

use contracts::shop::{
    billing::v1::ReceiptSent, orders::v1::OrderPaid, shipping::v1::ParcelShipped, warehouse::v1::StockMoved,
};
use tegami::{Context, Error, Event, HandlerError, Retry, Service, health::Status};

async fn write_down<E: Event>(event: E, _: Context) -> Result<(), HandlerError> {
    println!("{event:?}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    Service::new("billing")
        .on::<OrderPaid>(write_down)
        .on_with::<OrderPaid>(write_down, |s| s.group("exports").filter(OrderPaid::currency().is("EUR")))
        .on_with::<StockMoved>(write_down, |s| s.halt_on_dead().concurrency(1))
        .on_with::<ParcelShipped>(write_down, |s| s.per_instance())
        .on_with::<ReceiptSent>(write_down, |s| s.retry(Retry::never()))
        // Whatever the service cannot do without; an error is down, and the service is not ready.
        .check("database", async |_| Ok::<_, Error>(()))
        // What it can do without for a while.
        .check("disk", async |_| Status::degraded("nearly full: 93 % of /var/lib/billing is used"))
        .run()
        .await
}
