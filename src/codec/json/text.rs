//! JSON text: how it is written, and what is refused while it is read.

use serde::{Deserialize, Serialize, de, ser};
use serde_json::Result;

use super::{depth, discreet::discreet, finite, layout::Layout};

/// Writes JSON text, in the layout of Python's `json.dumps`.
///
/// # Errors
/// A value that JSON cannot say, such as NaN, or one nested deeper than [`from_slice`] reads.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut text = Vec::with_capacity(256);
    let mut layout = Layout::default();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, &mut layout))?;
    // NaN and absence both reach the layout as `null`; only a second look tells them apart.
    if layout.wrote_null() {
        finite::check(value)?;
    }
    depth::check(&text, 0).map_err(|too_deep| {
        ser::Error::custom(format_args!("{too_deep}: flatten the value, or have its inner part as text"))
    })?;
    Ok(text)
}

/// Reads JSON text; nothing may follow it.
///
/// # Errors
/// Not JSON, not UTF-8, not this type, nested too deep, or something after the end. The text quotes no value.
pub fn from_slice<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T> {
    let text = std::str::from_utf8(text).map_err(de::Error::custom)?;
    // The parser bounds only what it builds; what it skips may nest on.
    depth::check(text.as_bytes(), 0).map_err(de::Error::custom)?;
    serde_json::from_str(text).map_err(discreet)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    use super::{from_slice, to_vec};

    #[derive(Serialize)]
    struct Reading {
        note: Option<u8>,
        pair: (u8, f64),
        more: std::collections::BTreeMap<&'static str, Vec<Option<f32>>>,
    }

    #[test]
    fn floats_that_are_no_numbers_are_refused() {
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(to_vec(&float).is_err());
            assert!(to_vec(&Reading { note: None, pair: (1, float), more: [].into() }).is_err());
        }
        assert!(to_vec(&Reading { note: None, pair: (1, 1.0), more: [("a", vec![Some(f32::NAN)])].into() }).is_err());
    }

    #[test]
    fn absence_is_null() {
        let reading = Reading { note: None, pair: (1, 2.0), more: [("a", vec![None])].into() };
        assert_eq!(to_vec(&reading).unwrap(), br#"{"note": null, "pair": [1, 2.0], "more": {"a": [null]}}"#);
    }

    #[test]
    fn nesting_is_bounded_also_where_it_is_skipped() {
        #[derive(Deserialize)]
        struct Nothing {}

        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(from_slice::<Value>(nested(127).as_bytes()).is_ok());
        assert!(from_slice::<Value>(nested(128).as_bytes()).is_err());
        let skipped = |depth: usize| format!("{{\"skipped\": {}}}", nested(depth));
        assert!(from_slice::<Nothing>(skipped(126).as_bytes()).is_ok());
        assert!(from_slice::<Nothing>(skipped(127).as_bytes()).is_err());
        assert!(from_slice::<Nothing>(skipped(100_000).as_bytes()).is_err());
    }

    #[test]
    fn p7_as_deep_is_written_as_is_read() {
        let nested = |depth: usize| (1..depth).fold(serde_json::json!([]), |inside, _| serde_json::json!([inside]));
        let text = to_vec(&nested(127)).unwrap();
        assert_eq!(from_slice::<Value>(&text).unwrap(), nested(127));
        let error = to_vec(&nested(128)).unwrap_err().to_string();
        assert!(error.contains("nested 128 deep, the limit is 127: flatten"), "{error}");
    }

    #[test]
    fn what_is_not_strict_json_is_refused() {
        let bad: [&[u8]; 18] = [
            b"",
            b" ",
            b"1 2",
            b"{} x",
            b"{\"a\":1,}",
            b"[1,]",
            b"NaN",
            b"Infinity",
            b"1e400",
            b"01",
            b"+1",
            b"'a'",
            b"\"\\ud834\"",
            b"\"\\udd1e\\ud834\"",
            b"\"\xff\"",
            b"{\"\xc3\x28\": 1}",
            b"\xef\xbb\xbf1",
            b"\"\n\"",
        ];
        for text in bad {
            assert!(from_slice::<Value>(text).is_err(), "{} was read", text.escape_ascii());
        }
    }
}
