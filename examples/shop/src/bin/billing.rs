//! Billing alone, until it is told to stop.

use shop::{billing, data};

#[tokio::main]
async fn main() -> Result<(), tegami::error::BoxError> {
    Ok(billing::service(&data::folder()).await?.run().await?)
}
