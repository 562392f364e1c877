//! Billing: takes the money.

mod contracts {
    tegami::include_contracts!("billing");
}

use tegami::{Context, HandlerError, Service};

use contracts::shop::{
    billing::v1::{Method, OrderPaid},
    orders::v1::OrderPlaced,
};

/// The service.
pub fn service() -> Service {
    Service::new("billing").on::<OrderPlaced>(take_payment).publishes::<OrderPaid>()
}

async fn take_payment(order: OrderPlaced, ctx: Context) -> Result<(), HandlerError> {
    let amount: i64 = order.lines.iter().map(|line| i64::from(line.quantity) * line.price_minor).sum();
    println!("billing   {} pays {amount}", order.order_id);
    let paid = OrderPaid::builder().order_id(order.order_id).amount_minor(amount).method(Method::Card).build();
    ctx.publish(&paid).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::shop::orders::v1::Line;

    #[tokio::test]
    async fn an_order_is_paid_in_full() -> Result<(), tegami::Error> {
        let billing = tegami::testing::TestService::start(service()).await?;
        let line = Line::builder().quantity(2u32).price_minor(1_500).build();
        billing.publish(&OrderPlaced::builder().order_id("o-1").lines([line]).build()).await?;
        billing.settle().await;
        assert_eq!(billing.published::<OrderPaid>()[0].amount_minor, 3_000);
        assert!(billing.dead_letters().is_empty());
        Ok(())
    }
}
