//! JSON text: how it is written, and what is refused while it is read.

use serde::{Deserialize, Serialize};
use serde_json::Result;

use super::{discreet::discreet, finite, layout::Layout};

/// As deep as JSON may nest: as deep as the parser goes.
const DEPTH: usize = 127;

/// Writes JSON text, in the layout of Python's `json.dumps`.
///
/// # Errors
/// A value that JSON cannot say, such as NaN.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut text = Vec::with_capacity(256);
    let mut layout = Layout::default();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, &mut layout))?;
    // NaN and absence both reach the layout as `null`; only a second look tells them apart.
    if layout.wrote_null() {
        finite::check(value)?;
    }
    Ok(text)
}

/// Reads JSON text; nothing may follow it.
///
/// # Errors
/// Not JSON, not UTF-8, not this type, nested too deep, or something after the end. The text quotes no value.
pub fn from_slice<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T> {
    let text = std::str::from_utf8(text).map_err(serde::de::Error::custom)?;
    if is_too_deep(text.as_bytes()) {
        return Err(serde::de::Error::custom(format_args!("nested more than {DEPTH} deep")));
    }
    serde_json::from_str(text).map_err(discreet)
}

/// The parser bounds only what it builds; what it skips may nest on.
fn is_too_deep(text: &[u8]) -> bool {
    // Few texts are long enough, and have enough brackets, to need the careful look.
    let brackets = || text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    text.len() > DEPTH && brackets() > DEPTH && deepest(text) > DEPTH
}

fn deepest(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted) = (0_usize, 0, false);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if quoted => drop(bytes.next()),
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
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
    fn brackets_side_by_side_or_in_text_are_not_depth() {
        let wide = format!("[{}[]]", "[],".repeat(1_000));
        assert!(from_slice::<Value>(wide.as_bytes()).is_ok());
        let quoted = format!("[\"\\\"{}\"]", "[".repeat(1_000));
        assert!(from_slice::<Value>(quoted.as_bytes()).is_ok());
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
