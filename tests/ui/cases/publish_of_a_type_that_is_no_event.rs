use tegami::{Context, HandlerError};
use tegami_ui_tests::contracts::shop::orders::v1::OrderPaid;

struct Receipt;

async fn handle(_: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    ctx.publish(&Receipt).await?;
    Ok(())
}

fn main() {
    let _ = handle;
}
