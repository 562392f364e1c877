//! Routes beside a handler, sharing a publisher: typed bodies, files, a WebSocket, a page of one's own.
//!
//! ```console
//! $ cargo run --example routes --features http-tls
//! o-1  receipt filed
//! $ curl -s 127.0.0.1:8080/orders --json '{"orderId": "o-1", "currency": "EUR", "amountMinor": 990}'
//! {"orderId": "o-1", "currency": "EUR", "amountMinor": "990"}
//! $ curl -s 127.0.0.1:8080/proto/shop/orders/v1/orders.proto | head -1
//! syntax = "proto3";
//! $ curl -s 127.0.0.1:8080/nowhere
//! there is no /nowhere
//! $ curl -s -I 127.0.0.1:8080/nowhere | head -1
//! HTTP/1.1 404 Not Found
//! ```
//!
//! With `CERTIFICATES.pem KEY.pem` after a `--`, or with `TEGAMI_HTTP_TLS_CERTIFICATES` and `TEGAMI_HTTP_TLS_KEY`, it speaks TLS.

mod contracts {
    tegami::include_contracts!();
}

use contracts::shop::orders::v1::OrderPaid;
use tegami::{
    Context, HandlerError, Publisher, Service,
    http::{
        Event, Files, Page, WebSocket,
        axum::{
            Router,
            http::StatusCode,
            response::Response,
            routing::{any, get, post},
        },
    },
};

async fn pay(
    publisher: Publisher,
    Event(paid): Event<OrderPaid>,
) -> Result<(StatusCode, Event<OrderPaid>), StatusCode> {
    match publisher.publish(&paid).await {
        Ok(_) => Ok((StatusCode::ACCEPTED, Event(paid))),
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

async fn echo(request: WebSocket) -> Response {
    request.open(async |mut socket| {
        while let Some(frame) = socket.next().await {
            if socket.send(frame).await.is_err() {
                break;
            }
        }
    })
}

async fn file_receipt(paid: OrderPaid, _: Context) -> Result<(), HandlerError> {
    println!("{}  receipt filed", paid.order_id);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route("/length", post(async |body: String| body.len().to_string()))
        .route("/orders", post(pay))
        .route("/echo", any(echo))
        .nest_service("/proto", Files::below("proto"));
    let papers: Vec<String> = std::env::args().skip(1).collect();
    let service = Service::new("billing").on::<OrderPaid>(file_receipt).routes(router).http(move |http| {
        let http = http.page(StatusCode::NOT_FOUND, async |page: Page| format!("there is no {}\n", page.uri.path()));
        match &papers[..] {
            [certificates, key] => http.tls(certificates, key),
            _ => http,
        }
    });
    service.run().await
}
