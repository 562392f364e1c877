//! Orders come as events over a WebSocket, and receipts go back as events.
//!
//! The client is [websocket.py](websocket.py), with the package `websockets`. It stays until the service is stopped, by
//! Ctrl-C, and tells the code that it is then closed with. A page of another origin may not come in.
//!
//! ```console
//! $ cargo run --example websocket --features http
//! o-1 is paid: 990 EUR
//! $ python3 examples/websocket.py ws://127.0.0.1:8080/orders &
//! {"orderId": "o-1"}
//! the payload is not a `shop.orders.v1.OrderPaid`
//! closed with 1001
//! $ python3 examples/websocket.py ws://127.0.0.1:8080/orders https://elsewhere.example
//! refused with 403
//! ```

use tegami::{
    Context, HandlerError, Publisher, Service,
    http::{
        Frame, Socket, SocketError, WebSocket,
        axum::{Router, response::Response, routing::any},
    },
};

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    let router = Router::new().route("/orders", any(take_orders));
    Service::new("billing").on::<OrderPaid>(note).routes(router).run().await
}

async fn take_orders(request: WebSocket, publisher: Publisher) -> Response {
    request.open(async move |mut socket| {
        // None, once the client is gone or the service stops; an error, where the client is gone.
        while let Some(order) = socket.next_event::<OrderPaid>().await {
            let answered = match order {
                Ok(order) => take(order, &publisher, &socket).await,
                Err(wrong) => socket.send(Frame::Text(wrong.to_string())).await,
            };
            if answered.is_err() {
                break;
            }
        }
    })
}

async fn take(order: OrderPaid, publisher: &Publisher, socket: &Socket) -> Result<(), SocketError> {
    match publisher.publish(&order).await {
        Ok(_) => socket.send_event(&ReceiptSent::builder().order_id(order.order_id).build()).await,
        Err(error) => socket.send(Frame::Text(error.to_string())).await,
    }
}

async fn note(order: OrderPaid, _: Context) -> Result<(), HandlerError> {
    println!("{} is paid: {} {}", order.order_id, order.amount_minor, order.currency);
    Ok(())
}
