use tegami::{Context, HandlerError, Service};

struct Order;

async fn handle(_: Order, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {
    let _ = Service::new("billing").on::<Order>(handle);
}
