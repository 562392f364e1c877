//! A handler of a newer contract, which also gets what others still publish under the older one.
//!
//! ```console
//! $ cargo run --example versions
//! o-1: 9.90 EUR
//! o-2: 5.00 EUR
//! ```

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::orders::{v1, v2};
use tegami::{Context, HandlerError, Service, event::Upcast, service::Handle, transport::PublishError};

/// v1 counted in cents.
impl Upcast<v1::OrderPaid> for v2::OrderPaid {
    fn upcast(old: v1::OrderPaid) -> Self {
        let amount = format!("{}.{:02}", old.amount_minor / 100, old.amount_minor % 100);
        Self { order_id: old.order_id, currency: old.currency, amount, paid_at: old.paid_at }
    }
}

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    let billing = Service::new("billing")
        .upcast::<v1::OrderPaid, v2::OrderPaid>()
        .on_with::<v2::OrderPaid>(charge, |s| s.concurrency(1));
    billing.started(pay).run().await
}

async fn pay(shop: Handle) -> Result<(), PublishError> {
    let old = v1::OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build();
    let new = v2::OrderPaid::builder().order_id("o-2").currency("EUR").amount("5.00").build();
    shop.publisher().publish(&old).await?;
    shop.publisher().publish(&new).await?;
    Ok(())
}

async fn charge(order: v2::OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    println!("{}: {} {}", order.order_id, order.amount, order.currency);
    if order.order_id == "o-2" {
        ctx.stop();
    }
    Ok(())
}
