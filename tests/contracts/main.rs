//! From contracts to typed events: what the code that `build.rs` generated promises.
#![deny(warnings)]

mod contracts {
    ::tegami::include_contracts!();
}

use contracts::shop::{orders::v1::OrderPaid, shipping::v1::ParcelShipped};
use serde_json::json;
use tegami::{
    Event,
    codec::{self, Payload},
    contract::{AttributeKind, DeclaredAttribute},
    event::{Encoding, Value},
};

fn order() -> OrderPaid {
    OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build()
}

#[test]
fn contract_is_told_by_constants() {
    let contract = OrderPaid::CONTRACT;
    assert_eq!(contract.name, "shop.orders.v1.OrderPaid");
    assert_eq!((contract.version, contract.topic), (1, "shop-orders-v1"));
    assert_eq!((contract.routing_key, contract.key), (contract.name, Some("order_id")));
    let currency = DeclaredAttribute { name: "currency", kind: AttributeKind::Text };
    let amount = DeclaredAttribute { name: "amount_minor", kind: AttributeKind::Number };
    assert_eq!(contract.attributes, [currency, amount]);
    assert_eq!(contract.fingerprint.len(), 16);
    assert_eq!(contract.source, "proto/shop/orders/v1/orders.proto:9");
}

#[test]
fn key_and_attributes_come_from_the_fields() {
    let attributes = order().attributes();
    assert_eq!(order().key().as_deref(), Some("o-1"));
    assert_eq!(attributes.text("currency"), Some("EUR"));
    assert_eq!(attributes.get("amount_minor"), Some(&Value::Integer(990)));
    assert!(OrderPaid::default().attributes().get("currency").is_none());
}

#[test]
fn filters_name_declared_attributes() {
    let filter = OrderPaid::currency().one_of(["EUR", "USD"]).and(OrderPaid::amount_minor().at_least(500));
    assert!(filter.policy().matches(&order().attributes()));
    assert!(!filter.policy().matches(&OrderPaid::default().attributes()));
}

#[test]
fn events_return_from_both_encodings() {
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let payload = codec::encode(&order(), encoding).unwrap();
        assert_eq!(codec::decode::<OrderPaid>(&payload).unwrap(), order());
    }
}

#[test]
fn json_is_canonical() {
    let payload = codec::encode(&order(), Encoding::Json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&payload.bytes).unwrap();
    assert_eq!(json, json!({ "orderId": "o-1", "currency": "EUR", "amountMinor": "990" }));
}

#[test]
fn event_without_its_key_is_invalid() {
    let invalid = OrderPaid::default().validate().unwrap_err();
    assert_eq!(invalid.to_string(), "`order_id` is empty");
    let payload = Payload { encoding: Encoding::Json, bytes: "{}".into() };
    assert!(codec::decode::<OrderPaid>(&payload).is_err());
}

#[test]
fn schema_describes_the_json() {
    let schema = serde_json::to_value(OrderPaid::schema()).unwrap();
    assert_eq!(schema["properties"]["orderId"]["description"], "The order, unique in the shop.");
}

#[test]
fn events_of_json_schema_are_events_too() {
    let parcel = json!({ "parcel_id": "p-1", "order_id": "o-1", "carrier": "dhl", "weight_grams": 250 });
    let payload = Payload { encoding: Encoding::Json, bytes: parcel.to_string().into() };
    let shipped = codec::decode::<ParcelShipped>(&payload).unwrap();
    assert_eq!(ParcelShipped::CONTRACT.name, "shop.shipping.v1.ParcelShipped");
    assert_eq!((shipped.key().as_deref(), shipped.attributes().text("carrier")), (Some("p-1"), Some("dhl")));
    let again = codec::encode(&shipped, Encoding::Json).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&again.bytes).unwrap(), parcel);
}
