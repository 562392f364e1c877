use tegami::{HandlerError, Service};

async fn report() -> Result<(), HandlerError> {
    Ok(())
}

fn main() {
    let _ = Service::new("billing").cron("0 6 * * *", report);
}
