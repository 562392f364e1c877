//! Orders alone, until it is told to stop:
//! `curl 127.0.0.1:8080/orders --json '{"orderId": "o-1", "lines": [{"article": "kettle", "quantity": 1, "priceMinor": 4000}]}'`

use shop::{data, orders::Orders};

#[tokio::main]
async fn main() -> Result<(), tegami::error::BoxError> {
    Ok(Orders::open(&data::folder()).await?.service().run().await?)
}
