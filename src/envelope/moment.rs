//! Times as envelopes spell them: seconds since 1970 as a float, and RFC 3339 text. Reads no clock.

use std::time::{Duration, SystemTime};

use prost_types::Timestamp;

use super::{DecodeError, EncodeError, EncodeErrorKind, bounds::undecodable};
use crate::codec::json::timestamp;

/// Seconds since 1970; what [`from_seconds`] reads back exactly, to the float's precision.
pub(super) fn to_seconds(time: SystemTime) -> f64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

/// The time that many seconds after 1970.
pub(super) fn from_seconds(seconds: f64) -> Result<SystemTime, DecodeError> {
    let distance = Duration::try_from_secs_f64(seconds.abs())
        .map_err(|error| undecodable("the time is out of range").caused_by(error))?;
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if seconds < 0.0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
    time.ok_or_else(|| undecodable("the time is out of range"))
}

/// RFC 3339 text in UTC, exact to the nanosecond.
pub(super) fn to_rfc3339(time: SystemTime) -> Result<String, EncodeError> {
    timestamp::to_text(time.into()).ok_or_else(|| {
        EncodeError::new(EncodeErrorKind::Unencodable, "the message's time is not within the years 1 to 9999")
    })
}

/// The time that RFC 3339 text tells.
pub(super) fn from_rfc3339(text: &str) -> Result<SystemTime, DecodeError> {
    if !has_rfc3339_shape(text.as_bytes()) {
        return Err(undecodable("the time is not RFC 3339"));
    }
    let time: Timestamp = text.parse().map_err(|error| undecodable("the time is not RFC 3339").caused_by(error))?;
    time.try_into().map_err(|error| undecodable("the time is out of range").caused_by(error))
}

/// The parser beneath also reads dates without a time, times without an offset, and years of any length.
fn has_rfc3339_shape(text: &[u8]) -> bool {
    let Some((head, tail)) = text.split_at_checked("2026-01-01T00:00:00".len()) else { return false };
    let offset_is_told = matches!(tail, [.., b'Z' | b'z'] | [.., b'+' | b'-', _, _, b':', _, _]);
    offset_is_told && head[..4].iter().all(u8::is_ascii_digit) && matches!(head[10], b'T' | b't')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_come_back_exactly() {
        for seconds in [1795224550.7684295, 0.0, 1.5, -1.5, 1795224550.0, 4102444799.9999995, 1795224550.1] {
            assert_eq!(to_seconds(from_seconds(seconds).unwrap()), seconds);
        }
    }

    #[test]
    fn seconds_out_of_range_are_refused() {
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e19, -1e19, 1e300] {
            assert!(from_seconds(seconds).is_err(), "{seconds}");
        }
    }

    #[test]
    fn rfc3339_comes_back_to_the_nanosecond() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_795_224_550, 768_429_517);
        assert_eq!(to_rfc3339(time).unwrap(), "2026-11-21T01:29:10.768429517Z");
        assert_eq!(from_rfc3339("2026-11-21T03:29:10.768429517+02:00").unwrap(), time);
        assert_eq!(from_rfc3339("2026-11-21t01:29:10.768429517z").unwrap(), time);
    }

    #[test]
    fn what_is_not_rfc3339_is_refused() {
        let wrong = ["", "2026-11-21", "2026-11-21T04:09:10", "+12026-11-21T04:09:10Z", "2026-13-21T04:09:10Z"];
        let stranger = [
            "2026-11-21 04:09:10Z",
            "2026-11-21T04:09:10.Z",
            "2026-11-21T04:09:10é",
            "noon",
            "2026-11-21T04:09:10+1:0",
        ];
        for text in wrong.into_iter().chain(stranger) {
            assert!(from_rfc3339(text).is_err(), "{text}");
        }
    }

    #[test]
    fn years_beyond_four_digits_are_refused() {
        let beyond = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800);
        assert!(to_rfc3339(beyond).is_err());
        assert!(to_rfc3339(beyond - Duration::from_secs(1)).is_ok());
    }
}
