//! Whole numbers: those of 32 bits are JSON numbers, those of 64 bits are text.

use std::fmt;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer, Serializer,
    de::{Error, Unexpected, Visitor},
};

use super::{Codec, number};

macro_rules! integers {
    // Four types that differ in their bounds and in how they are written.
    ($($(#[$doc:meta])* $marker:ident, $visitor:ident, $integer:ty, $write:ident, $schema:tt;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $marker;

        impl Codec for $marker {
            type Value = $integer;

            fn write<S: Serializer>(value: &$integer, serializer: S) -> Result<S::Ok, S::Error> {
                $write(*value, serializer)
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$integer, D::Error> {
                deserializer.deserialize_any($visitor)
            }

            fn is_default(value: &$integer) -> bool {
                *value == 0
            }

            fn schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }

        struct $visitor;

        impl Visitor<'_> for $visitor {
            type Value = $integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from {} to {}", <$integer>::MIN, <$integer>::MAX)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<$integer, E> {
                number.try_into().map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<$integer, E> {
                number.try_into().map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<$integer, E> {
                number::whole(number)
                    .and_then(|whole| whole.try_into().ok())
                    .ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<$integer, E> {
                parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
    )*};
}
integers!(
    /// `int32`, `sint32`, `sfixed32`.
    Int32, Int32Visitor, i32, as_number, { "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX };
    /// `uint32`, `fixed32`.
    UInt32, UInt32Visitor, u32, as_number, { "type": "integer", "minimum": 0, "maximum": u32::MAX };
    /// `int64`, `sint64`, `sfixed64`.
    Int64, Int64Visitor, i64, as_text, { "type": "string", "pattern": "^-?(0|[1-9][0-9]{0,18})$" };
    /// `uint64`, `fixed64`.
    UInt64, UInt64Visitor, u64, as_text, { "type": "string", "pattern": "^(0|[1-9][0-9]{0,19})$" };
);

/// A whole number that text spells, also as `1.0` or `1e2`.
pub(super) fn parse<T: std::str::FromStr + TryFrom<i64>>(text: &str) -> Option<T> {
    if !number::is_number(text) {
        return None;
    }
    text.parse().ok().or_else(|| number::whole(text.parse().ok()?)?.try_into().ok())
}

fn as_number<S: Serializer>(value: impl Into<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(value.into())
}

fn as_text<S: Serializer>(value: impl itoa::Integer, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(itoa::Buffer::new().format(value))
}

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    #[test]
    fn long_integers_are_written_as_text() {
        assert_eq!(write::<Int32>(-7).unwrap(), "-7");
        assert_eq!(write::<UInt32>(u32::MAX).unwrap(), "4294967295");
        assert_eq!(write::<Int64>(i64::MIN).unwrap(), "\"-9223372036854775808\"");
        assert_eq!(write::<UInt64>(u64::MAX).unwrap(), "\"18446744073709551615\"");
    }

    #[test]
    fn every_spelling_of_a_whole_number_is_read() {
        for text in ["100", "\"100\"", "100.0", "1e2", "\"1e2\"", "\"100.0\"", "\"1E+2\"", "10000e-2"] {
            assert_eq!(read::<Int32>(text), Some(100), "{text}");
            assert_eq!(read::<UInt32>(text), Some(100), "{text}");
            assert_eq!(read::<Int64>(text), Some(100), "{text}");
            assert_eq!(read::<UInt64>(text), Some(100), "{text}");
        }
        assert_eq!(read::<Int32>("2.147483647e9"), Some(i32::MAX));
        assert_eq!(read::<Int64>("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(read::<UInt64>("\"18446744073709551615\""), Some(u64::MAX));
        assert_eq!(read::<Int64>("\"9007199254740993\""), Some(9_007_199_254_740_993));
    }

    #[test]
    fn nothing_is_rounded_or_cut() {
        refuses::<Int32>(&["2147483648", "-2147483649", "\"2147483648\"", "2.2e9", "0.5", "1e300", "-1e300"]);
        refuses::<UInt32>(&["-1", "4294967296", "\"-1\"", "-1.0"]);
        refuses::<Int64>(&[
            "9223372036854775808",
            "-9223372036854775809",
            "9007199254740993.0",
            "\"9223372036854775808\"",
        ]);
        refuses::<UInt64>(&["18446744073709551616", "\"18446744073709551616\"", "-1", "\"-0.5\""]);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        refuses::<Int32>(&[
            "\"\"", "\" 1\"", "\"1 \"", "\"+1\"", "\"01\"", "\"0x1\"", "\"1.\"", "\".1\"", "\"1e\"", "\"-\"",
        ]);
        refuses::<Int64>(&["true", "null", "[]", "{}", "\"NaN\"", "\"inf\"", "\"1-2\"", "\"１\""]);
    }
}
