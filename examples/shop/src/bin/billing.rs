//! Billing alone, until it is told to stop.

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    shop::billing::service().run().await
}
