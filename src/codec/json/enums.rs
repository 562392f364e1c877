//! Enums by the names of their values; numbers that have no name stay numbers.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer, Serializer,
    de::{Error, Unexpected, Visitor},
};

use super::{Codec, number};

/// The names of an enum's values.
///
/// Do not implement this by hand; generated code does, for each enum of a contract.
pub trait EnumNames {
    /// The names, in the contract's order.
    const NAMES: &'static [&'static str];

    /// The name of a number, if it has one.
    fn name(number: i32) -> Option<&'static str>;

    /// The number of a name, if there is one.
    fn number(name: &str) -> Option<i32>;
}

/// The name of an enum's value, or its number as text.
pub fn enum_name<E: EnumNames>(number: i32) -> Cow<'static, str> {
    E::name(number).map_or_else(|| Cow::Owned(number.to_string()), Cow::Borrowed)
}

/// An enum, stored as its number.
#[derive(Debug)]
pub struct Enum<E>(PhantomData<E>);

impl<E: EnumNames> Codec for Enum<E> {
    type Value = i32;

    fn write<S: Serializer>(value: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        match E::name(*value) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_i32(*value),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        deserializer.deserialize_any(EnumVisitor::<E>(PhantomData))
    }

    fn is_default(value: &i32) -> bool {
        *value == 0
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": E::NAMES })
    }
}

struct EnumVisitor<E>(PhantomData<E>);

impl<E: EnumNames> Visitor<'_> for EnumVisitor<E> {
    type Value = i32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {:?}, or a number", E::NAMES)
    }

    fn visit_str<F: Error>(self, name: &str) -> Result<i32, F> {
        E::number(name).ok_or_else(|| F::invalid_value(Unexpected::Str(name), &self))
    }

    fn visit_i64<F: Error>(self, number: i64) -> Result<i32, F> {
        i32::try_from(number).map_err(|_| F::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<F: Error>(self, number: u64) -> Result<i32, F> {
        i32::try_from(number).map_err(|_| F::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<F: Error>(self, number: f64) -> Result<i32, F> {
        number::whole(number)
            .and_then(|whole| i32::try_from(whole).ok())
            .ok_or_else(|| F::invalid_value(Unexpected::Float(number), &self))
    }
}

/// `google.protobuf.NullValue`: always `null`.
#[derive(Debug)]
pub struct Null;

impl Codec for Null {
    type Value = i32;

    fn write<S: Serializer>(_: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        deserializer.deserialize_any(NullVisitor)
    }

    fn is_default(value: &i32) -> bool {
        *value == 0
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "null" })
    }

    fn null() -> Option<i32> {
        Some(0)
    }
}

struct NullVisitor;

impl Visitor<'_> for NullVisitor {
    type Value = i32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null")
    }

    fn visit_unit<E: Error>(self) -> Result<i32, E> {
        Ok(0)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<i32, E> {
        if name == "NULL_VALUE" { Ok(0) } else { Err(E::invalid_value(Unexpected::Str(name), &self)) }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i32, E> {
        if number == 0 { Ok(0) } else { Err(E::invalid_value(Unexpected::Unsigned(number), &self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    struct Colour;

    impl EnumNames for Colour {
        const NAMES: &'static [&'static str] = &["RED", "GREEN"];

        fn name(number: i32) -> Option<&'static str> {
            Self::NAMES.get(usize::try_from(number).ok()?).copied()
        }

        fn number(name: &str) -> Option<i32> {
            i32::try_from(Self::NAMES.iter().position(|known| *known == name)?).ok()
        }
    }

    #[test]
    fn numbers_without_a_name_stay_numbers() {
        assert_eq!(write::<Enum<Colour>>(1).unwrap(), "\"GREEN\"");
        assert_eq!(write::<Enum<Colour>>(-9).unwrap(), "-9");
        assert_eq!(enum_name::<Colour>(0), "RED");
        assert_eq!(enum_name::<Colour>(9), "9");
    }

    #[test]
    fn names_and_numbers_are_read() {
        for (text, number) in [("\"GREEN\"", 1), ("1", 1), ("1.0", 1), ("-9", -9)] {
            assert_eq!(read::<Enum<Colour>>(text), Some(number));
        }
        refuses::<Enum<Colour>>(&["\"green\"", "\"\"", "\"1\"", "2147483648", "0.5", "null", "true"]);
    }

    #[test]
    fn null_value_is_null() {
        assert_eq!(write::<Null>(0).unwrap(), "null");
        assert_eq!(
            (read::<Null>("null"), read::<Null>("\"NULL_VALUE\""), read::<Null>("0")),
            (Some(0), Some(0), Some(0))
        );
        refuses::<Null>(&["1", "false", "\"\""]);
    }
}
