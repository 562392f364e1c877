//! What happens, told to an observer, to Prometheus and, where one is named, to a collector; and a path that nobody looks at.
//!
//! ```console
//! $ cargo run --example telemetry --features http,metrics,otel
//! shop.orders.v1.OrderPaid: retried after attempt 1, in the trace 0af7651916cd43dd8448eb211c80319c
//! shop.orders.v1.OrderPaid: done after attempt 2, in the trace 0af7651916cd43dd8448eb211c80319c
//! $ curl -s -X POST http://127.0.0.1:8080/orders -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
//! $ until curl -s http://127.0.0.1:8080/metrics | grep -q 'outcome="done"'; do sleep 0.1; done
//! $ curl -s http://127.0.0.1:8080/metrics | grep -E '^(messaging_client_sent_messages|http_server_request_duration_seconds_count)'
//! http_server_request_duration_seconds_count{http_request_method="POST",url_scheme="http",http_response_status_code="202",http_route="/orders"} 1
//! messaging_client_sent_messages_total{messaging_system="memory",messaging_operation_name="publish",messaging_destination_name="shop-orders-v1",event="shop.orders.v1.OrderPaid"} 1
//! ```
//!
//! With `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318` before the first command, the collector there gets the trace: the
//! request, the publish below it, both attempts below that.

use std::time::Duration;

use tegami::{
    Context, Error, HandlerError, Publisher, Retry, Service,
    http::axum::{
        Router,
        http::{StatusCode, header},
        routing::{get, post},
    },
    telemetry::{Fact, Metrics, Settled},
};

mod contracts {
    tegami::include_contracts!();
}
use contracts::shop::orders::v1::OrderPaid;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let metrics = Metrics::new();
    let shown = metrics.clone();
    let text = async move || ([(header::CONTENT_TYPE, Metrics::MEDIA_TYPE)], shown.text());
    let router = Router::new().route("/orders", post(order)).route("/metrics", get(text));
    Service::new("billing")
        .on_with::<OrderPaid>(charge, |s| s.retry(Retry::after([Duration::from_millis(10)])))
        .routes(router)
        .http(|http| http.unobserved(["/metrics"]))
        .observe(metrics)
        .observe(print)
        .run()
        .await
}

async fn order(publisher: Publisher) -> StatusCode {
    let order = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build();
    publisher.publish(&order).await.map_or(StatusCode::SERVICE_UNAVAILABLE, |_| StatusCode::ACCEPTED)
}

async fn charge(_: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    match ctx.attempt() {
        1 => Err(HandlerError::retry("the bank is away")),
        _ => Ok(()),
    }
}

fn print(fact: &Fact<'_>) {
    let Fact::Settled(Settled { event: Some(event), end, attempt, trace: Some(trace), .. }) = fact else { return };
    println!("{event}: {} after attempt {attempt}, in the trace {trace}", end.as_str());
}
