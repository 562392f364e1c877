//! Whole messages, with the implementations that the generator writes for them.

use std::collections::BTreeMap;

use prost_types::Timestamp;
use serde::{de::MapAccess, ser::SerializeMap};
use serde_json::json;

use super::{Codec, Describe, EnumNames, Object, from_slice, to_vec};
use crate::{__private::json as private, json_object};

#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(string, tag = "1")]
    order_id: String,
    #[prost(int64, tag = "2")]
    amount_minor: i64,
    #[prost(enumeration = "Currency", tag = "3")]
    currency: i32,
    #[prost(message, optional, tag = "4")]
    paid_at: Option<Timestamp>,
    #[prost(int32, optional, tag = "5")]
    priority: Option<i32>,
    #[prost(message, repeated, tag = "6")]
    parts: Vec<Order>,
    #[prost(btree_map = "string, int32", tag = "7")]
    stock: BTreeMap<String, i32>,
    #[prost(message, optional, boxed, tag = "200")]
    parent: Option<Box<Order>>,
    #[prost(oneof = "Method", tags = "9, 10, 11")]
    method: Option<Method>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Method {
    #[prost(string, tag = "9")]
    Card(String),
    #[prost(uint64, tag = "10")]
    Voucher(u64),
    #[prost(enumeration = "prost_types::NullValue", tag = "11")]
    Free(i32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
enum Currency {
    Unspecified = 0,
    Eur = 1,
}

impl EnumNames for Currency {
    const NAMES: &'static [&'static str] = &["UNSPECIFIED", "EUR"];

    fn name(number: i32) -> Option<&'static str> {
        Self::NAMES.get(usize::try_from(number).ok()?).copied()
    }

    fn number(name: &str) -> Option<i32> {
        Self::NAMES.iter().position(|known| *known == name).and_then(|at| i32::try_from(at).ok())
    }
}

impl Object for Order {
    const NAME: &'static str = "shop.Order";

    fn write<M: SerializeMap>(&self, out: &mut M) -> Result<(), M::Error> {
        private::put::<private::Text, M>(out, "orderId", &self.order_id)?;
        private::put::<private::Int64, M>(out, "amountMinor", &self.amount_minor)?;
        private::put::<private::Enum<Currency>, M>(out, "currency", &self.currency)?;
        private::put_some::<private::Timestamp, M>(out, "paidAt", &self.paid_at)?;
        private::put_some::<private::Int32, M>(out, "priority", &self.priority)?;
        private::put::<private::List<private::Nested<Order>>, M>(out, "parts", &self.parts)?;
        private::put::<private::Map<private::Text, private::Int32>, M>(out, "stock", &self.stock)?;
        match &self.method {
            Some(Method::Card(value)) => private::put_always::<private::Text, M>(out, "card", value)?,
            Some(Method::Voucher(value)) => private::put_always::<private::UInt64, M>(out, "voucher", value)?,
            Some(Method::Free(value)) => private::put_always::<private::Null, M>(out, "free", value)?,
            None => {}
        }
        private::put_some::<private::Boxed<Order>, M>(out, "parent", &self.parent)
    }

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<Option<u32>, A::Error> {
        let number = match name {
            "orderId" | "order_id" => {
                self.order_id = private::get::<private::Text, A>(map)?;
                1
            }
            "amountMinor" | "amount_minor" => {
                self.amount_minor = private::get::<private::Int64, A>(map)?;
                2
            }
            "currency" => {
                self.currency = private::get::<private::Enum<Currency>, A>(map)?;
                3
            }
            "paidAt" | "paid_at" => {
                self.paid_at = private::get_some::<private::Timestamp, A>(map)?;
                4
            }
            "priority" => {
                self.priority = private::get_some::<private::Int32, A>(map)?;
                5
            }
            "parts" => {
                self.parts = private::get::<private::List<private::Nested<Order>>, A>(map)?;
                6
            }
            "stock" => {
                self.stock = private::get::<private::Map<private::Text, private::Int32>, A>(map)?;
                7
            }
            "card" => {
                return private::choose::<private::Text, A>(map, 9, |value| self.method = Some(Method::Card(value)));
            }
            "voucher" => {
                return private::choose::<private::UInt64, A>(map, 9, |value| {
                    self.method = Some(Method::Voucher(value))
                });
            }
            "free" => {
                return private::choose::<private::Null, A>(map, 9, |value| self.method = Some(Method::Free(value)));
            }
            "parent" => {
                self.parent = private::get_some::<private::Boxed<Order>, A>(map)?;
                200
            }
            _ => return Ok(None),
        };
        Ok(Some(number))
    }

    fn describe(object: &mut Describe<'_>) {
        object.comment("An order.");
        object.required::<private::Text>("orderId", "The order, unique in the shop.");
        object.field::<private::Int64>("amountMinor", "");
        object.field::<private::Enum<Currency>>("currency", "");
        object.field::<private::Timestamp>("paidAt", "");
        object.field::<private::List<private::Nested<Order>>>("parts", "");
        object.field::<private::Boxed<Order>>("parent", "The order this is a part of.");
    }
}
json_object!(Order);

fn read(text: &str) -> Result<Order, String> {
    from_slice(text.as_bytes()).map_err(|error| error.to_string())
}

fn order() -> Order {
    Order {
        order_id: "o-1".to_owned(),
        amount_minor: -5,
        currency: 1,
        paid_at: Some(Timestamp { seconds: 0, nanos: 0 }),
        priority: Some(0),
        parts: vec![Order::default()],
        stock: [("é".to_owned(), 2)].into(),
        parent: Some(Box::default()),
        method: Some(Method::Voucher(0)),
    }
}

const TEXT: &str = r#"{"orderId": "o-1", "amountMinor": "-5", "currency": "EUR", "paidAt": "1970-01-01T00:00:00Z", "priority": 0, "parts": [{}], "stock": {"\u00e9": 2}, "voucher": "0", "parent": {}}"#;

#[test]
fn message_comes_back() {
    assert_eq!(String::from_utf8(to_vec(&order()).unwrap()).unwrap(), TEXT);
    assert_eq!(read(TEXT).unwrap(), order());
    let value: serde_json::Value = from_slice(TEXT.as_bytes()).unwrap();
    assert_eq!(serde_json::from_value::<Order>(value).unwrap(), order());
}

#[test]
fn defaults_are_left_out() {
    assert_eq!(to_vec(&Order::default()).unwrap(), b"{}");
    assert_eq!(read("{}").unwrap(), Order::default());
}

#[test]
fn contract_names_escapes_nulls_and_unknown_fields_are_read() {
    let text = r#"{"order_id": "o", "amount\u004dinor": null, "paid_at": null, "parts": null, "parent": null,
        "card": null, "voucher": 7, "unknown": [{"a": null}], "unknown": 1}"#;
    let expected = Order { order_id: "o".to_owned(), method: Some(Method::Voucher(7)), ..Order::default() };
    assert_eq!(read(text).unwrap(), expected);
    assert_eq!(read(r#"{"free": null}"#).unwrap().method, Some(Method::Free(0)));
}

#[test]
fn field_given_twice_is_refused() {
    for text in [
        r#"{"orderId": "a", "orderId": "a"}"#,
        r#"{"orderId": "a", "order_id": "a"}"#,
        r#"{"priority": null, "priority": 1}"#,
        r#"{"parent": {}, "parent": {}}"#,
        r#"{"card": "a", "voucher": 1}"#,
        r#"{"card": "a", "card": "b"}"#,
        r#"{"free": null, "card": "b"}"#,
    ] {
        assert!(read(text).unwrap_err().contains("`shop.Order` has `"), "{text}");
    }
}

#[test]
fn wrong_types_are_refused() {
    for text in [
        "[]",
        "null",
        "1",
        "\"\"",
        r#"{"orderId": 1}"#,
        r#"{"parts": {}}"#,
        r#"{"parts": [null]}"#,
        r#"{"stock": []}"#,
        r#"{"stock": {"a": null}}"#,
        r#"{"parent": []}"#,
        r#"{"currency": "GBP"}"#,
        r#"{"priority": 1.5}"#,
    ] {
        assert!(read(text).is_err(), "{text} was read");
    }
}

#[test]
fn recursion_is_bounded() {
    let nested = |depth: usize| format!("{}{{}}{}", "{\"parent\":".repeat(depth), "}".repeat(depth));
    assert!(read(&nested(100)).is_ok());
    assert!(read(&nested(128)).is_err());
    assert!(read(&nested(100_000)).is_err());
}

#[test]
fn schema_describes_the_json() {
    let schema = super::schema_of::<Order>().to_value();
    assert_eq!(schema["title"], "shop.Order");
    assert_eq!(schema["description"], "An order.");
    assert_eq!(schema["required"], json!(["orderId"]));
    let properties = &schema["properties"];
    assert_eq!(properties["orderId"], json!({ "type": "string", "description": "The order, unique in the shop." }));
    assert_eq!(properties["amountMinor"]["type"], "string");
    assert_eq!(properties["currency"], json!({ "type": "string", "enum": ["UNSPECIFIED", "EUR"] }));
    assert_eq!(properties["paidAt"], json!({ "type": "string", "format": "date-time" }));
    assert_eq!(properties["parts"], json!({ "type": "array", "items": { "$ref": "#" } }));
    assert_eq!(properties["parent"]["description"], "The order this is a part of.");
}

#[test]
fn codec_of_a_message_is_never_default() {
    assert!(!private::Nested::<Order>::is_default(&Order::default()));
}
