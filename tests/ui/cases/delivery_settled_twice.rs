use tegami::transport::{Delivery, SettleError};

async fn settle(delivery: Delivery) -> Result<(), SettleError> {
    delivery.ack().await?;
    delivery.release().await
}

fn main() {
    let _ = settle;
}
