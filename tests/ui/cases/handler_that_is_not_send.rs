use std::rc::Rc;

use tegami::{Context, HandlerError, Service};
use tegami_ui_tests::contracts::shop::orders::v1::OrderPaid;

async fn handle(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    let kept = Rc::new(1);
    std::future::ready(()).await;
    drop(kept);
    Ok(())
}

fn main() {
    let _ = Service::new("billing").on::<OrderPaid>(handle);
}
