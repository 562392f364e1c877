//! Shipping alone, until it is told to stop.

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    shop::shipping::service().run().await
}
