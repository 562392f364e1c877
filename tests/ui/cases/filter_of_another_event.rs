use tegami::{Context, HandlerError, Service};
use tegami_ui_tests::contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};

async fn handle(_: ReceiptSent, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {
    let _ = Service::new("billing").on_with::<ReceiptSent>(handle, |s| s.filter(OrderPaid::currency().is("EUR")));
}
