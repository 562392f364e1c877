//! Settings from a file, which the environment overrules; and a log whose lines tell what they belong to, and no secret.
//!
//! ```console
//! $ TEGAMI_CONFIG=examples/settings.toml TEGAMI_LOG_FORMAT=json cargo run --example settings --features logs 2>&1
//! {"timestamp": "2026-01-01T00:00:00.000000Z", "logger": "settings", "level": "info", "message": "charged", "handler": "settings::charge", "queue": "billing-shop-orders-v1-OrderPaid", "event": "shop.orders.v1.OrderPaid", "message_id": "0192f0c1-7d3e-7c2a-9a52-0f8f6a1b2c3d", "attempt": 1, "correlation_id": "0192f0c1-7d3e-7c2a-9a52-0f8f6a1b2c3d", "currency": "EUR", "key": "Secret"}
//! ```

use tegami::{Config, Context, Error, HandlerError, Secret, Service, service::Handle};

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::orders::v1::OrderPaid;

/// The section `[app]` of the file.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Shop {
    currency: String,
    payment_key: Secret,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = Config::load()?;
    let shop: Shop = config.app()?;
    Service::new("billing").config(config).state(shop).on::<OrderPaid>(charge).started(pay).run().await
}

async fn pay(service: Handle<Shop>) -> Result<(), Error> {
    let order = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build();
    service.publisher().publish(&order).await?;
    Ok(())
}

async fn charge(_: OrderPaid, ctx: Context<Shop>) -> Result<(), HandlerError> {
    let Shop { currency, payment_key } = ctx.state();
    tracing::info!(currency, key = ?payment_key, "charged");
    ctx.stop();
    Ok(())
}
