//! Handlers that are fed from the store: what is recorded is handled without a broker, with retries, dead letters and redrive.
//!
//! ```console
//! $ cargo run --example subscription --features sqlite
//! o-1: a receipt at attempt 1
//! o-2: a receipt at attempt 2
//! o-3: given up, for the address is unknown
//! o-3: a receipt at attempt 1
//! ```

mod contracts {
    tegami::include_contracts!();
}
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contracts::shop::orders::v1::OrderPaid;
use tegami::{
    Context, HandlerError, Retry, Service,
    error::BoxError,
    records::Records,
    sqlite::Database,
    store::{Append, Store, StreamId},
    transport::Transport,
};
use tokio::sync::mpsc::{Sender, channel};

/// The queue of the handler below.
const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";

/// What the handler knows.
struct App {
    address_is_known: AtomicBool,
    sent: Sender<()>,
}

async fn send_receipt(order: OrderPaid, ctx: Context<Arc<App>>) -> Result<(), HandlerError> {
    let app = ctx.state();
    match (&*order.order_id, ctx.attempt()) {
        ("o-2", 1) => return Err(HandlerError::retry("the printer is busy")),
        ("o-3", _) if !app.address_is_known.load(Ordering::SeqCst) => {
            return Err(HandlerError::reject("the address is unknown"));
        }
        _ => println!("{}: a receipt at attempt {}", order.order_id, ctx.attempt()),
    }
    Ok(app.sent.send(()).await?)
}

async fn pay(store: &Store, id: &str) -> Result<(), BoxError> {
    let paid = OrderPaid::builder().order_id(id).currency("EUR").amount_minor(990).build();
    store.append(Append::to(StreamId::of("order", id)?).event(&paid)?).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let path = std::env::temp_dir().join(format!("tegami-receipts-{}.db", std::process::id()));
    let db = Database::connect(&path).await?;
    let store = Store::new(db.store()).service("shop");
    let (sent, mut receipts) = channel(1);
    let app = Arc::new(App { address_is_known: AtomicBool::new(false), sent });

    let records = Records::new(&db, &store);
    let soon = Retry::after([Duration::from_millis(50)]);
    let service = Service::new("billing").transport(records.clone()).state(app.clone());
    let running = service.on_with::<OrderPaid>(send_receipt, |s| s.retry(soon)).start().await?;
    for order in ["o-1", "o-2"] {
        pay(&store, order).await?;
        receipts.recv().await;
    }

    pay(&store, "o-3").await?;
    let dead = loop {
        match records.dead_letters(QUEUE, 1).await?.pop() {
            Some(dead) => break dead,
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    println!("o-3: given up, for {}", dead.error());
    app.address_is_known.store(true, Ordering::SeqCst);
    records.redrive(QUEUE).await?;
    receipts.recv().await;

    running.stop().await?;
    db.close().await;
    std::fs::remove_file(path)?;
    Ok(())
}
