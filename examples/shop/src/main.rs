//! Starts the three services and stops them when the last parcel is on its way.

use shop::{billing, orders, shipping};

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    // Those who listen start first: an event that nobody listens to is an error.
    let billing = billing::service().start().await?;
    let shipping = shipping::service().start().await?;
    let orders = orders::service(["o-1", "o-2", "o-3"]).start().await?;

    orders.stop_requested().await;
    for service in [orders, shipping, billing] {
        service.stop().await?;
    }
    Ok(())
}
