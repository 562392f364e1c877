use tegami::{Context, Service};
use tegami_ui_tests::contracts::shop::orders::v1::OrderPaid;

async fn handle(_: OrderPaid, _: Context) -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {
    let _ = Service::new("billing").on::<OrderPaid>(handle);
}
