//! `google.protobuf.Timestamp` as RFC 3339 text; also for `#[serde(with = "…")]` in JSON Schema contracts.

use std::fmt;

use prost_types::Timestamp as Instant;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer, de::Visitor, ser::Error as _};

use super::{
    Codec,
    calendar::{date, days, month_length},
    number::Digits,
};

/// `google.protobuf.Timestamp`.
#[derive(Debug)]
pub struct Timestamp;

impl Codec for Timestamp {
    type Value = Instant;

    fn write<S: Serializer>(value: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        let text = print(*value).ok_or_else(|| S::Error::custom("a timestamp is not within the years 1 to 9999"))?;
        serializer.serialize_str(text.as_str())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        deserializer.deserialize_str(TimestampVisitor)
    }

    fn is_default(_: &Instant) -> bool {
        false
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Writes a time as RFC 3339 text in UTC.
///
/// # Errors
/// A time outside the years 1 to 9999.
pub fn serialize<S: Serializer>(value: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    Timestamp::write(value, serializer)
}

/// Reads a time from RFC 3339 text, whatever its offset.
///
/// # Errors
/// Other text, or a time outside the years 1 to 9999.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
    Timestamp::read(deserializer)
}

/// The same for a field that may be absent.
pub mod option {
    use prost_types::Timestamp as Instant;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{
        super::codec::{ReadSome, Written},
        Timestamp,
    };

    /// Writes a time, or `null`.
    ///
    /// # Errors
    /// As without the option.
    pub fn serialize<S: Serializer>(value: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Written::<Timestamp>).serialize(serializer)
    }

    /// Reads a time, or `null`.
    ///
    /// # Errors
    /// As without the option.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Instant>, D::Error> {
        ReadSome::<Timestamp>::deserialize(deserializer).map(|read| read.0)
    }
}

struct TimestampVisitor;

impl Visitor<'_> for TimestampVisitor {
    type Value = Instant;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time as in RFC 3339")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Instant, E> {
        parse(text.as_bytes()).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

const DAY: i64 = 86_400;
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// RFC 3339 text in UTC; none outside the years 1 to 9999.
pub(crate) fn to_text(time: Instant) -> Option<String> {
    print(time).map(|text| text.as_str().to_owned())
}

fn print(time: Instant) -> Option<Digits> {
    if !(FIRST..=LAST).contains(&time.seconds) {
        return None;
    }
    let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let (year, month, day) = date(time.seconds.div_euclid(DAY));
    let second = u32::try_from(time.seconds.rem_euclid(DAY)).ok()?;
    let mut text = Digits::default();
    text.number(year, 4).byte(b'-').number(month, 2).byte(b'-').number(day, 2).byte(b'T');
    text.number(second / 3600, 2).byte(b':').number(second / 60 % 60, 2).byte(b':').number(second % 60, 2);
    text.fraction(nanos).byte(b'Z');
    Some(text)
}

fn parse(text: &[u8]) -> Option<Instant> {
    let (fixed, rest) = text.split_at_checked(19)?;
    let separators = [fixed[4], fixed[7], fixed[10], fixed[13], fixed[16]];
    let (year, month, day) = (digits(&fixed[..4])?, digits(&fixed[5..7])?, digits(&fixed[8..10])?);
    let (hour, minute, second) = (digits(&fixed[11..13])?, digits(&fixed[14..16])?, digits(&fixed[17..])?);
    let valid = separators == *b"--T::"
        && (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=month_length(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    let (nanos, rest) = super::number::fraction(rest)?;
    let seconds = days(year, month, day) * DAY + i64::from(hour * 3600 + minute * 60 + second) - offset(rest)?;
    let nanos = i32::try_from(nanos).ok()?;
    (FIRST..=LAST).contains(&seconds).then_some(Instant { seconds, nanos })
}

fn offset(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match text {
        b"Z" => return Some(0),
        [b'+', h1, h2, b':', m1, m2] => (1, digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        [b'-', h1, h2, b':', m1, m2] => (-1, digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    #[test]
    fn fractions_have_as_few_digits_as_say_them() {
        let written = [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_709_210_096, 500_000_000, "2024-02-29T12:34:56.500Z"),
            (1, 1_000, "1970-01-01T00:00:01.000001Z"),
            (-1, 1, "1969-12-31T23:59:59.000000001Z"),
            (FIRST, 0, "0001-01-01T00:00:00Z"),
            (LAST, 999_999_999, "9999-12-31T23:59:59.999999999Z"),
        ];
        for (seconds, nanos, text) in written {
            let time = Instant { seconds, nanos };
            assert_eq!(write::<Timestamp>(time), Some(format!("\"{text}\"")));
            assert_eq!(read::<Timestamp>(&format!("\"{text}\"")), Some(time));
        }
    }

    #[test]
    fn every_day_comes_back() {
        let mut previous = (0, 0, 0);
        for day in FIRST / DAY..=LAST / DAY {
            let (year, month, date) = date(day);
            assert_eq!(days(year, month, date), day);
            assert!(date <= month_length(year, month) && previous < (year, month, date));
            previous = (year, month, date);
        }
    }

    #[test]
    fn offsets_are_accepted() {
        for text in ["2024-01-01T01:30:00+01:30", "2023-12-31T23:00:00-01:00", "2024-01-01T00:00:00.0Z"] {
            assert_eq!(read::<Timestamp>(&format!("\"{text}\"")), Some(Instant { seconds: 1_704_067_200, nanos: 0 }));
        }
    }

    #[test]
    fn other_text_is_refused() {
        let bad = [
            "",
            "Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01t00:00:00Z",
            "2024-01-01T00:00:00z",
            "2024-01-01 00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890Z",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+0100",
            "2024-01-01T00:00:00+01",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "+2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00ZZ",
            "２024-01-01T00:00:00Z",
        ];
        refuses::<Timestamp>(&bad.map(|text| format!("\"{text}\"")).each_ref().map(String::as_str));
        refuses::<Timestamp>(&["1704067200", "null", "{}"]);
    }

    #[test]
    fn times_out_of_range_are_not_written() {
        for (seconds, nanos) in
            [(FIRST - 1, 0), (LAST + 1, 0), (0, -1), (0, 1_000_000_000), (i64::MIN, 0), (i64::MAX, 0)]
        {
            assert_eq!(write::<Timestamp>(Instant { seconds, nanos }), None);
        }
    }
}
