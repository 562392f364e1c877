//! Values that hold no other value.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, IntoDeserializer, Unexpected, Visitor},
    ser::Error as _,
};

use super::Form;
use crate::codec::json::{Codec, Timestamp};

/// Below this every whole number has a floating-point form of its own, so `1.0` can be read as 1.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What plain serde reads and writes exactly.
#[derive(Debug)]
pub struct Plain<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> Form for Plain<T> {
    type Value = T;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

/// A whole number; `1.0` is one too.
#[derive(Debug)]
pub struct Integer;

impl Form for Integer {
    type Value = i64;

    fn write<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(*value)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        // What is below a tag is kept until that is read, and then has floating-point numbers for nobody but who takes any.
        deserializer.deserialize_any(IntegerVisitor)
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of 64 bits")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<i64, E> {
        let exact = number.fract() == 0.0 && number.abs() < EXACT;
        exact.then_some(number as i64).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

/// A number.
#[derive(Debug)]
pub struct Number;

impl Form for Number {
    type Value = f64;

    fn write<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if !value.is_finite() {
            return Err(S::Error::custom(format!("JSON has no number {value}")));
        }
        serializer.serialize_f64(*value)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        f64::deserialize(deserializer)
    }
}

/// A UUID in its hyphenated spelling, and no other.
#[derive(Debug)]
pub struct Uuid;

impl Form for Uuid {
    type Value = uuid::Uuid;

    fn write<S: Serializer>(value: &uuid::Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<uuid::Uuid, D::Error> {
        const HYPHENATED: usize = 36;
        let text = String::deserialize(deserializer)?;
        let value = text.parse().ok().filter(|_| text.len() == HYPHENATED);
        value.ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &"a UUID"))
    }
}

/// A time as RFC 3339 text.
#[derive(Debug)]
pub struct DateTime;

impl Form for DateTime {
    type Value = prost_types::Timestamp;

    fn write<S: Serializer>(value: &prost_types::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        Timestamp::write(value, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<prost_types::Timestamp, D::Error> {
        Timestamp::read(deserializer)
    }
}

/// One of an enum's values, by its text.
#[derive(Debug)]
pub struct Choice<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> Form for Choice<T> {
    type Value = T;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        // Asked for an enum, a format may also take an object with the value's name as its one key.
        let text = String::deserialize(deserializer)?;
        T::deserialize(text.into_deserializer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(tag = "kind")]
    enum Payment {
        #[serde(rename = "card")]
        Card {
            #[serde(deserialize_with = "Integer::read")]
            amount: i64,
        },
    }

    #[test]
    fn a_whole_number_below_a_tag_may_have_a_point() {
        for (text, expected) in [("1.0", Some(1)), ("-3", Some(-3)), ("1.5", None), ("\"1\"", None), ("1e300", None)] {
            let told = format!(r#"{{"amount": {text}, "kind": "card"}}"#);
            let read = serde_json::from_str(&told).map(|Payment::Card { amount }| amount).ok();
            assert_eq!(read, expected, "{text}");
        }
    }
}
