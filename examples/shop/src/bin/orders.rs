//! Orders alone, until it is told to stop.

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    shop::orders::service(["o-1"]).run().await
}
