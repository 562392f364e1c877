//! Floats: JSON numbers, or the texts `NaN`, `Infinity` and `-Infinity`.

use std::fmt;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer, Serializer,
    de::{Error, Unexpected, Visitor},
};

use super::{Codec, number};

/// `double`.
#[derive(Debug)]
pub struct Double;

impl Codec for Double {
    type Value = f64;

    fn write<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match special(*value) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_f64(*value),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_any(FloatVisitor)
    }

    // -0.0 is not the default, so that it survives.
    fn is_default(value: &f64) -> bool {
        value.to_bits() == 0
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        schema()
    }
}

/// `float`.
#[derive(Debug)]
pub struct Float;

impl Codec for Float {
    type Value = f32;

    fn write<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
        match special((*value).into()) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_f32(*value),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
        let wide = Double::read(deserializer)?;
        // A float is the nearest value of fewer digits; only the bounds are not for rounding.
        let narrow = wide as f32;
        if narrow.is_infinite() && wide.is_finite() {
            return Err(D::Error::invalid_value(Unexpected::Float(wide), &"a number within the bounds of a float"));
        }
        Ok(narrow)
    }

    fn is_default(value: &f32) -> bool {
        value.to_bits() == 0
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        schema()
    }
}

fn schema() -> Schema {
    json_schema!({ "anyOf": [{ "type": "number" }, { "type": "string", "enum": ["NaN", "Infinity", "-Infinity"] }] })
}

fn special(value: f64) -> Option<&'static str> {
    match value {
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        value if value.is_nan() => Some("NaN"),
        _ => None,
    }
}

struct FloatVisitor;

impl Visitor<'_> for FloatVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

fn parse(text: &str) -> Option<f64> {
    let number = if number::is_number(text) { text.parse::<f64>().ok() } else { None };
    number.filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    #[test]
    fn special_floats_are_text() {
        assert_eq!(write::<Double>(f64::NAN).unwrap(), "\"NaN\"");
        assert_eq!(write::<Float>(f32::NEG_INFINITY).unwrap(), "\"-Infinity\"");
        assert_eq!(read::<Float>("\"Infinity\""), Some(f32::INFINITY));
        assert!(read::<Double>("\"NaN\"").unwrap().is_nan());
    }

    #[test]
    fn numbers_and_their_text_are_read() {
        for text in ["1.5", "\"1.5\"", "15e-1", "\"15e-1\""] {
            assert_eq!(read::<Double>(text), Some(1.5));
            assert_eq!(read::<Float>(text), Some(1.5));
        }
        assert_eq!(read::<Double>("-3"), Some(-3.0));
    }

    #[test]
    fn minus_zero_survives() {
        assert!(!Double::is_default(&-0.0) && Double::is_default(&0.0));
        assert_eq!(read::<Double>(&write::<Double>(-0.0).unwrap()).map(f64::to_bits), Some((-0.0_f64).to_bits()));
    }

    #[test]
    fn what_is_no_float_is_refused() {
        refuses::<Double>(&[
            "\"inf\"",
            "\"nan\"",
            "\"infinity\"",
            "\"1e400\"",
            "\"\"",
            "\" 1\"",
            "\"+1\"",
            "null",
            "true",
        ]);
        refuses::<Float>(&["3.5e38", "-3.5e38", "\"1e39\""]);
    }
}
