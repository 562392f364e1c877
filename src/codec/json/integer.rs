//! Whole numbers of JSON Schema contracts, for `#[serde(with = "…")]`: `1.0` is one, `1.5` and `"1"` are not.

use std::fmt;

use serde::{
    Deserializer, Serializer,
    de::{Error, Unexpected, Visitor},
};

use super::number;

/// Writes the number.
///
/// # Errors
/// The serializer's own.
pub fn serialize<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(*value)
}

/// Reads a number without a fraction.
///
/// # Errors
/// A fraction, a number out of range, or something else.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_any(IntegerVisitor)
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of 64 bits")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        number.try_into().map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i64, E> {
        number::whole(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

/// The same for a field that may be absent.
pub mod option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    struct Integer(#[serde(with = "super")] i64);

    /// Writes the number, or `null`.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    /// Reads a number without a fraction, or `null`.
    ///
    /// # Errors
    /// As without the option.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        Ok(Option::<Integer>::deserialize(deserializer)?.map(|integer| integer.0))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use crate::codec::json::{from_slice, to_vec};

    #[derive(Serialize, Deserialize)]
    struct Line {
        #[serde(with = "super")]
        amount: i64,
        #[serde(default, with = "super::option", skip_serializing_if = "Option::is_none")]
        rest: Option<i64>,
    }

    #[test]
    fn only_whole_numbers_are_read() {
        let read = |text: &str| from_slice::<Line>(text.as_bytes()).ok().map(|line| (line.amount, line.rest));
        assert_eq!(read(r#"{"amount": 1}"#), Some((1, None)));
        assert_eq!(read(r#"{"amount": 1.0, "rest": null}"#), Some((1, None)));
        assert_eq!(read(r#"{"amount": -9223372036854775808, "rest": 2e3}"#), Some((i64::MIN, Some(2_000))));
        for bad in ["1.5", "\"1\"", "9223372036854775808", "1e300", "true", "null"] {
            assert_eq!(read(&format!("{{\"amount\": {bad}}}")), None, "{bad}");
        }
        assert_eq!(read(r#"{"amount": 1, "rest": 0.5}"#), None);
        assert_eq!(read(r#"{"rest": 1}"#), None);
    }

    #[test]
    fn numbers_are_written_plainly() {
        assert_eq!(to_vec(&Line { amount: -5, rest: Some(6) }).unwrap(), br#"{"amount": -5, "rest": 6}"#);
    }
}
