//! Shipping: sends what is paid for, large orders by van.

mod contracts {
    tegami::include_contracts!("shipping");
}

use tegami::{Context, HandlerError, Service};

use contracts::shop::{
    billing::v1::OrderPaid,
    shipping::v1::{Carrier, ParcelShipped},
};

/// From here on a parcel goes by van, in cents.
const LARGE: i64 = 80_00;

/// The service: two handlers for one event, each with its share of it.
pub fn service() -> Service {
    Service::new("shipping")
        .on_with::<OrderPaid>(by_bike, |s| s.group("bikes").filter(OrderPaid::amount_minor().at_most(LARGE - 1)))
        .on_with::<OrderPaid>(by_van, |s| s.group("vans").filter(OrderPaid::amount_minor().at_least(LARGE)))
        .publishes::<ParcelShipped>()
}

async fn by_bike(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    ship(order, Carrier::Bike, ctx).await
}

async fn by_van(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    ship(order, Carrier::Van, ctx).await
}

async fn ship(order: OrderPaid, carrier: Carrier, ctx: Context) -> Result<(), HandlerError> {
    println!("shipping  {} goes by {carrier:?}", order.order_id);
    let parcel = ParcelShipped::builder()
        .parcel_id(format!("p-{}", order.order_id))
        .order_id(order.order_id)
        .carrier(carrier)
        .build();
    ctx.publish(&parcel).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_large_order_goes_by_van() -> Result<(), tegami::Error> {
        let shipping = tegami::testing::TestService::start(service()).await?;
        for (order, amount) in [("small", LARGE - 1), ("large", LARGE)] {
            shipping.publish(&OrderPaid::builder().order_id(order).amount_minor(amount).build()).await?;
        }
        shipping.settle().await;
        let parcels = shipping.published::<ParcelShipped>();
        let by = |order: &str| parcels.iter().find(|parcel| parcel.order_id == order).map(|parcel| parcel.carrier);
        assert_eq!((by("small"), by("large")), (Some(Carrier::Bike), Some(Carrier::Van)));
        Ok(())
    }
}
