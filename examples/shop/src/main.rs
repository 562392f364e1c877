//! Starts the three services, places three orders, and stops when the last parcel is on its way.

use std::collections::BTreeSet;

use shop::{
    billing, data,
    orders::{Line, OrderPlaced, Orders},
    shipping,
};
use tegami::error::BoxError;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let folder = data::folder();
    let orders = Orders::open(&folder).await?;
    // Those who listen start first: an event that nobody listens to is an error.
    let billing = billing::service(&folder).await?.start().await?;
    let shipping = shipping::service().start().await?;
    let running = orders.service().start().await?;

    let open = place(&orders).await?;
    tokio::select! {
        biased;
        () = running.stop_requested() => {}
        closed = close(&orders, open) => closed?,
    }
    running.stop().await?;
    shipping.stop().await?;
    billing.stop().await?;
    Ok(())
}

/// Places orders by names that no earlier run has used.
async fn place(orders: &Orders) -> Result<BTreeSet<String>, BoxError> {
    let run = std::time::UNIX_EPOCH.elapsed()?.as_millis();
    let ids: BTreeSet<_> = (1..=3).map(|number| format!("o-{run}-{number}")).collect();
    for (id, price) in ids.iter().zip([4_000, 8_000, 12_000]) {
        let line = Line::builder().article("kettle").quantity(1u32).price_minor(price).build();
        let order = OrderPlaced::builder().order_id(id).lines([line]).build();
        orders.place(order).await.map_err(|error| error.to_string())?;
    }
    Ok(ids)
}

/// Waits for the parcels of these orders.
async fn close(orders: &Orders, mut open: BTreeSet<String>) -> Result<(), BoxError> {
    let mut parcels = orders.parcels();
    while !open.is_empty() {
        for parcel in parcels.next().await?.events {
            if open.remove(&parcel.event.order_id) {
                println!("orders    {} closed, {} open", parcel.event.order_id, open.len());
            }
        }
    }
    Ok(())
}
