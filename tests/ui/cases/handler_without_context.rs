use tegami::{HandlerError, Service};
use tegami_ui_tests::contracts::shop::orders::v1::OrderPaid;

async fn handle(_: OrderPaid) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {
    let _ = Service::new("billing").on::<OrderPaid>(handle);
}
