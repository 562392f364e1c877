use tegami::{Context, HandlerError, Service};
use tegami_ui_tests::contracts::shop::orders::v1::OrderPaid;

struct App;

async fn handle(_: OrderPaid, _: Context<App>) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {
    let _ = Service::new("billing").on::<OrderPaid>(handle);
}
