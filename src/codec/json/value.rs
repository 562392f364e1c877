//! `google.protobuf.Value`, `Struct` and `ListValue`: any JSON at all.

use std::fmt;

use prost_types::{ListValue as Items, Struct as Fields, Value as Any, value::Kind};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer, Serializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
    ser::Error as _,
};

use super::{Codec, List, Map, Text};

/// `google.protobuf.Value`: `null` is one of its values.
#[derive(Debug)]
pub struct JsonValue;

impl Codec for JsonValue {
    type Value = Any;

    fn write<S: Serializer>(value: &Any, serializer: S) -> Result<S::Ok, S::Error> {
        match &value.kind {
            None => Err(S::Error::custom("a value without a kind has no JSON form")),
            Some(Kind::NullValue(_)) => serializer.serialize_unit(),
            Some(Kind::NumberValue(number)) if number.is_finite() => serializer.serialize_f64(*number),
            Some(Kind::NumberValue(_)) => Err(S::Error::custom("JSON has no NaN and no infinity")),
            Some(Kind::StringValue(text)) => serializer.serialize_str(text),
            Some(Kind::BoolValue(truth)) => serializer.serialize_bool(*truth),
            Some(Kind::StructValue(fields)) => Struct::write(fields, serializer),
            Some(Kind::ListValue(items)) => ListValue::write(items, serializer),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Any, D::Error> {
        deserializer.deserialize_any(AnyVisitor).map(kind)
    }

    fn is_default(_: &Any) -> bool {
        false
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }

    fn null() -> Option<Any> {
        Some(kind(Kind::NullValue(0)))
    }
}

fn kind(kind: Kind) -> Any {
    Any { kind: Some(kind) }
}

/// `google.protobuf.Struct`: any JSON object.
#[derive(Debug)]
pub struct Struct;

impl Codec for Struct {
    type Value = Fields;

    fn write<S: Serializer>(value: &Fields, serializer: S) -> Result<S::Ok, S::Error> {
        Map::<Text, JsonValue>::write(&value.fields, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        Ok(Fields { fields: Map::<Text, JsonValue>::read(deserializer)? })
    }

    fn is_default(_: &Fields) -> bool {
        false
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// `google.protobuf.ListValue`: any JSON array.
#[derive(Debug)]
pub struct ListValue;

impl Codec for ListValue {
    type Value = Items;

    fn write<S: Serializer>(value: &Items, serializer: S) -> Result<S::Ok, S::Error> {
        List::<JsonValue>::write(&value.values, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Items, D::Error> {
        Ok(Items { values: List::<JsonValue>::read(deserializer)? })
    }

    fn is_default(_: &Items) -> bool {
        false
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array" })
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Kind, E> {
        Ok(Kind::NullValue(0))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Kind, E> {
        Ok(Kind::BoolValue(truth))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Kind, E> {
        Ok(Kind::NumberValue(number))
    }

    // Numbers of a Value are floats by definition.
    fn visit_i64<E: Error>(self, number: i64) -> Result<Kind, E> {
        Ok(Kind::NumberValue(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Kind, E> {
        Ok(Kind::NumberValue(number as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::StringValue(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Kind, E> {
        Ok(Kind::StringValue(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Kind, A::Error> {
        ListValue::read(serde::de::value::SeqAccessDeserializer::new(items)).map(Kind::ListValue)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kind, A::Error> {
        Struct::read(serde::de::value::MapAccessDeserializer::new(map)).map(Kind::StructValue)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    #[test]
    fn any_json_comes_back() {
        let text = r#"{"a": [1.5, null, true, "x"], "b": {"c": []}, "d": -3.0}"#;
        assert_eq!(write::<Struct>(read::<Struct>(text).unwrap()).unwrap(), text);
        assert_eq!(write::<JsonValue>(read::<JsonValue>(text).unwrap()).unwrap(), text);
        assert_eq!(write::<ListValue>(read::<ListValue>("[[], {}, 1]").unwrap()).unwrap(), "[[], {}, 1.0]");
    }

    #[test]
    fn values_without_json_form_are_not_written() {
        assert_eq!(write::<JsonValue>(Any { kind: None }), None);
        assert_eq!(write::<JsonValue>(kind(Kind::NumberValue(f64::NAN))), None);
    }

    #[test]
    fn other_shapes_are_refused() {
        refuses::<Struct>(&["[]", "1", "null", r#"{"a": 1, "a": 2}"#]);
        refuses::<ListValue>(&["{}", "\"\"", "null"]);
    }
}
