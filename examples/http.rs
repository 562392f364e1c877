//! Payments come in over HTTP and become events; the receipts that follow are asked for over HTTP.
//!
//! ```console
//! $ cargo run --example http --features http
//! $ curl -s 127.0.0.1:8080/payments --json '{"orderId": "o-1", "currency": "EUR", "amountMinor": 990}'
//! o-1 is on its way
//! $ curl -s 127.0.0.1:8080/receipts/o-1
//! the receipt for o-1 is sent
//! $ curl -s 127.0.0.1:8080/payments --json '{"orderId": "o-2", "currency": 978}'
//! {"title":"Unprocessable Entity","status":422,"detail":"the body breaks the contract of `shop.orders.v1.OrderPaid`","errors":[{"field":"currency","reason":"invalid type: integer, expected a string"}]}
//! ```

use std::collections::BTreeSet;

use tegami::{
    Context, HandlerError, Publisher, Service,
    http::{
        Event, Problem,
        axum::{
            Router,
            extract::{Path, State},
            http::StatusCode,
            routing::{get, post},
        },
    },
};
use tokio::sync::watch;

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};

/// The orders whose receipts are sent.
type Sent = watch::Sender<BTreeSet<String>>;

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    let router = Router::new().route("/payments", post(take_payment)).route("/receipts/{order}", get(await_receipt));
    Service::new("billing")
        .state(Sent::default())
        .on::<OrderPaid>(send_receipt)
        .on::<ReceiptSent>(note_receipt)
        .routes(router)
        .run()
        .await
}

async fn take_payment(publisher: Publisher, Event(order): Event<OrderPaid>) -> Result<String, Problem> {
    let published = publisher.publish(&order).await;
    published.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(format!("{} is on its way", order.order_id))
}

/// Waits for the receipt; the server's own limit ends the wait with 503.
async fn await_receipt(State(sent): State<Sent>, Path(order): Path<String>) -> String {
    let _ = sent.subscribe().wait_for(|sent| sent.contains(&order)).await;
    format!("the receipt for {order} is sent")
}

async fn send_receipt(order: OrderPaid, ctx: Context<Sent>) -> Result<(), HandlerError> {
    ctx.publish(&ReceiptSent::builder().order_id(order.order_id).build()).await?;
    Ok(())
}

async fn note_receipt(receipt: ReceiptSent, ctx: Context<Sent>) -> Result<(), HandlerError> {
    ctx.state().send_if_modified(|sent| sent.insert(receipt.order_id));
    Ok(())
}
