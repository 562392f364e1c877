//! Billing: takes the money, and writes one receipt for each order.

mod contracts {
    tegami::include_contracts!("billing");
}

use std::path::Path;

use tegami::{Context, HandlerError, Service, error::BoxError, sqlite::Tx};

use crate::data;
use contracts::shop::{
    billing::v1::{Method, OrderPaid},
    orders::v1::OrderPlaced,
};

/// Nothing here forbids two receipts for one order: that the handler is transactional does.
const RECEIPTS: &str =
    "CREATE TABLE IF NOT EXISTS receipts (number INTEGER PRIMARY KEY, order_id TEXT, amount_minor INTEGER)";

/// The service, with its receipts in this folder.
pub async fn service(folder: &Path) -> Result<Service, BoxError> {
    let db = data::open(folder, "billing.db", RECEIPTS).await?;
    let service = Service::new("billing").transactional(&db).on::<OrderPlaced>(take_payment);
    Ok(service.publishes::<OrderPaid>().outbox_with(&db, |relay| relay.hold(data::HOLD)))
}

/// The receipt, that the order was handled, and the event that follows are one commit.
async fn take_payment(order: OrderPlaced, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
    let amount: i64 = order.lines.iter().map(|line| i64::from(line.quantity) * line.price_minor).sum();
    let receipt = (order.order_id.clone(), amount);
    let sql = "INSERT INTO receipts (order_id, amount_minor) VALUES (?1, ?2)";
    tx.run(move |file| file.execute(sql, receipt)).await?;
    println!("billing   {} pays {amount}", order.order_id);
    let paid = OrderPaid::builder().order_id(order.order_id).amount_minor(amount).method(Method::Card).build();
    ctx.in_transaction(tx).publish(&paid).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::shop::orders::v1::Line;

    #[tokio::test]
    async fn an_order_is_paid_in_full() -> Result<(), BoxError> {
        let folder = data::Temporary::new("billing");
        let billing = tegami::testing::TestService::start(service(&folder.0).await?).await?;
        let line = Line::builder().quantity(2u32).price_minor(1_500).build();
        billing.publish(&OrderPlaced::builder().order_id("o-1").lines([line]).build()).await?;
        billing.settle().await;
        assert_eq!(billing.published::<OrderPaid>()[0].amount_minor, 3_000);
        assert!(billing.dead_letters().is_empty());
        Ok(())
    }
}
