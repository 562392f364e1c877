//! The example of the README: a service with one handler, and its test.
//!
//! Run it with `cargo run --example billing`, stop it with Ctrl-C; and test it:
//!
//! ```console
//! $ cargo test --example billing --features testing
//!
//! running 1 test
//! test payment_leads_to_a_receipt ... ok
//!
//! test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
//! ```

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
use tegami::{Context, HandlerError, Service};

fn service() -> Service {
    Service::new("billing").on::<OrderPaid>(send_receipt)
}

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    service().run().await // TEGAMI_TRANSPORT says where messages travel; the default is `memory:`
}

async fn send_receipt(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    let receipt = ReceiptSent::builder().order_id(order.order_id).build();
    ctx.publish(&receipt).await?; // `?` on any error means: retry this delivery
    Ok(())
}

#[tokio::test]
async fn payment_leads_to_a_receipt() -> Result<(), tegami::Error> {
    let billing = tegami::testing::TestService::start(service()).await?; // memory transport, paused clock
    billing.publish(&OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build()).await?;
    billing.settle().await; // until the whole cascade is quiet
    assert_eq!(billing.published::<ReceiptSent>().len(), 1);
    assert!(billing.dead_letters().is_empty());
    Ok(())
}
