//! Orders: places what customers want, and knows when it is on its way.

mod contracts {
    tegami::include_contracts!("orders");
}

use std::{collections::BTreeSet, sync::Mutex};

use tegami::{Context, HandlerError, Service, service::Handle, transport::PublishError};

use contracts::shop::{
    orders::v1::{Line, OrderPlaced},
    shipping::v1::ParcelShipped,
};

/// The orders not yet shipped.
pub struct Open(Mutex<BTreeSet<String>>);

/// The service, with the orders it will place.
pub fn service<const N: usize>(orders: [&str; N]) -> Service<Open> {
    let open = orders.iter().map(|order| order.to_string()).collect();
    Service::new("orders")
        .state(Open(Mutex::new(open)))
        .on::<ParcelShipped>(close_order)
        .publishes::<OrderPlaced>()
        .started(place_orders)
}

async fn place_orders(service: Handle<Open>) -> Result<(), PublishError> {
    let open = service.state().0.lock().expect("no handler panics").clone();
    for (n, order) in open.into_iter().enumerate() {
        let price = 40_00 * (n as i64 + 1);
        let line = Line::builder().article("kettle").quantity(1u32).price_minor(price).build();
        println!("orders    {order} placed");
        service.publisher().publish(&OrderPlaced::builder().order_id(order).lines([line]).build()).await?;
    }
    Ok(())
}

async fn close_order(parcel: ParcelShipped, ctx: Context<Open>) -> Result<(), HandlerError> {
    let mut open = ctx.state().0.lock().expect("no handler panics");
    open.remove(&parcel.order_id);
    println!("orders    {} closed, {} open", parcel.order_id, open.len());
    if open.is_empty() {
        ctx.stop();
    }
    Ok(())
}
