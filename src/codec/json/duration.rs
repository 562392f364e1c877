//! `google.protobuf.Duration`: seconds with an `s` behind.

use std::fmt;

use prost_types::Duration as Span;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer, Serializer,
    de::{Error, Unexpected, Visitor},
    ser::Error as _,
};

use super::{
    Codec,
    number::{self, Digits},
};

/// `google.protobuf.Duration`.
#[derive(Debug)]
pub struct Duration;

/// About ten thousand years, either way.
const LONGEST: u64 = 315_576_000_000;

impl Codec for Duration {
    type Value = Span;

    fn write<S: Serializer>(value: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        let text = print(*value).ok_or_else(|| S::Error::custom("a duration is out of range, or its signs differ"))?;
        serializer.serialize_str(text.as_str())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        deserializer.deserialize_str(DurationVisitor)
    }

    fn is_default(_: &Span) -> bool {
        false
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$" })
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds such as \"1.5s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        parse(text.as_bytes()).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

fn print(span: Span) -> Option<Digits> {
    let (seconds, nanos) = (span.seconds.unsigned_abs(), span.nanos.unsigned_abs());
    let opposed = (span.seconds < 0 && span.nanos > 0) || (span.seconds > 0 && span.nanos < 0);
    if opposed || !in_range(seconds, nanos) {
        return None;
    }
    let mut text = Digits::default();
    if span.seconds < 0 || span.nanos < 0 {
        text.byte(b'-');
    }
    text.long(seconds).fraction(nanos).byte(b's');
    Some(text)
}

fn parse(text: &[u8]) -> Option<Span> {
    let text = text.strip_suffix(b"s")?;
    let (sign, text) = text.strip_prefix(b"-").map_or((1, text), |text| (-1, text));
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(length);
    let seconds: u64 = std::str::from_utf8(whole).ok()?.parse().ok()?;
    let (nanos, rest) = number::fraction(rest)?;
    if !rest.is_empty() || !in_range(seconds, nanos) {
        return None;
    }
    Some(Span { seconds: sign * i64::try_from(seconds).ok()?, nanos: i32::try_from(nanos).ok()? * sign as i32 })
}

fn in_range(seconds: u64, nanos: u32) -> bool {
    nanos < 1_000_000_000 && (seconds < LONGEST || (seconds == LONGEST && nanos == 0))
}

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    #[test]
    fn seconds_stand_before_an_s() {
        let written = [
            (0, 0, "0s"),
            (1, 500_000_000, "1.500s"),
            (0, -1, "-0.000000001s"),
            (-3, -1_000, "-3.000001s"),
            (315_576_000_000, 0, "315576000000s"),
        ];
        for (seconds, nanos, text) in written {
            let span = Span { seconds, nanos };
            assert_eq!(write::<Duration>(span), Some(format!("\"{text}\"")));
            assert_eq!(read::<Duration>(&format!("\"{text}\"")), Some(span));
        }
        assert_eq!(read::<Duration>("\"1.5s\""), Some(Span { seconds: 1, nanos: 500_000_000 }));
    }

    #[test]
    fn other_text_is_refused() {
        refuses::<Duration>(&[
            "1",
            "\"1\"",
            "\"s\"",
            "\"\"",
            "\"1.s\"",
            "\".5s\"",
            "\"+1s\"",
            "\"1 s\"",
            "\"--1s\"",
            "\"1.0000000000s\"",
            "\"315576000001s\"",
            "\"315576000000.1s\"",
            "\"99999999999999999999999s\"",
            "\"1e3s\"",
            "null",
        ]);
    }

    #[test]
    fn spans_out_of_range_are_not_written() {
        for (seconds, nanos) in
            [(1, -1), (-1, 1), (0, 1_000_000_000), (315_576_000_001, 0), (i64::MIN, 0), (0, i32::MIN)]
        {
            assert_eq!(write::<Duration>(Span { seconds, nanos }), None);
        }
    }
}
