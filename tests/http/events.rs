//! Events as bodies.

use tegami::{
    Error,
    http::{
        Event,
        axum::{Router, routing::post as on_post},
    },
    service::Running,
};

use crate::{
    client::{Answer, ask, post},
    contracts::shop::{orders::v1::OrderPaid, shipping::v1::ParcelShipped},
    serve,
};

const JSON: &str = "Content-Type: application/json\r\n";
const PROTOBUF: &str = "Content-Type: application/protobuf\r\n";

async fn service() -> Result<Running, Error> {
    let router = Router::new()
        .route("/orders", on_post(async |Event(order): Event<OrderPaid>| Event(order)))
        .route("/parcels", on_post(async |Event(parcel): Event<ParcelShipped>| Event(parcel)));
    serve(router, |http| http).await
}

async fn sent(service: &Running, path: &str, headers: &str, body: &str) -> Answer {
    ask(service, post(path, headers, body)).await
}

#[tokio::test]
async fn an_event_is_read_and_answered_in_both_forms() -> Result<(), Error> {
    let service = service().await?;
    let json = r#"{"orderId":"o-1","currency":"EUR","amountMinor":"990"}"#;
    let answer = sent(&service, "/orders", JSON, json).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{}", answer.text());
    assert!(answer.text().contains("o-1"), "{}", answer.text());
    let accept = format!("{JSON}Accept: application/protobuf\r\n");
    let binary = sent(&service, "/orders", &accept, json).await;
    assert_eq!((binary.status, binary.header("content-type")), (200, Some("application/protobuf")));
    assert!(binary.body.starts_with(b"\x0a\x03o-1"), "{:?}", binary.body);
    let head = post("/orders", PROTOBUF, &"x".repeat(binary.body.len()));
    let head = head.trim_end_matches('x').as_bytes();
    assert_eq!(ask(&service, [head, &binary.body].concat()).await.text(), answer.text());
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_not_the_event_is_told_so_as_a_problem() -> Result<(), Error> {
    let service = service().await?;
    for (path, headers, body, status, words) in [
        ("/orders", JSON, "{", 400, "OrderPaid"),
        ("/orders", JSON, r#"{"orderId":7}"#, 422, "orderId"),
        ("/orders", PROTOBUF, "", 422, "order_id"),
        ("/orders", PROTOBUF, "\x08\x01", 400, "order_id"),
        ("/orders", "Content-Type: text/plain\r\n", "{}", 415, "application/json"),
        ("/orders", "", "{}", 415, "application/protobuf"),
        ("/orders", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "{}", 415, "gzip"),
        ("/parcels", PROTOBUF, "", 415, "application/json"),
        ("/parcels", JSON, "{}", 422, "parcel_id"),
    ] {
        let answer = sent(&service, path, headers, body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    Ok(())
}
