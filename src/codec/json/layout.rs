//! The layout of JSON text: byte for byte what Python's `json.dumps` writes.
//!
//! `", "` between items and `": "` after names, ASCII only, floats as Python's `repr` spells them.

use std::io::{Result, Write};

use serde_json::ser::Formatter;

/// Python's layout; remembers whether a `null` was written.
#[derive(Default)]
pub(super) struct Layout {
    null: bool,
}

impl Layout {
    pub fn wrote_null(&self) -> bool {
        self.null
    }
}

impl Formatter for &mut Layout {
    fn write_null<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.null = true;
        out.write_all(b"null")
    }

    fn write_f32<W: ?Sized + Write>(&mut self, out: &mut W, value: f32) -> Result<()> {
        float(out, zmij::Buffer::new().format_finite(value))
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> Result<()> {
        float(out, zmij::Buffer::new().format_finite(value))
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> Result<()> {
        // Both looks go over words, not bytes.
        let is_plain = fragment.is_ascii() && !fragment.contains('\u{7f}');
        if is_plain { out.write_all(fragment.as_bytes()) } else { escape(out, fragment) }
    }
}

fn is_plain(byte: u8) -> bool {
    byte < 0x7f
}

/// The plain stretches as they are, all else as `\uXXXX`, beyond U+FFFF as a surrogate pair.
fn escape<W: ?Sized + Write>(out: &mut W, mut text: &str) -> Result<()> {
    while let Some(other) = text.bytes().position(|byte| !is_plain(byte)) {
        let (plain, rest) = text.split_at(other);
        out.write_all(plain.as_bytes())?;
        let mut rest = rest.chars();
        let Some(char) = rest.next() else { break };
        for unit in char.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        text = rest.as_str();
    }
    out.write_all(text.as_bytes())
}

/// Python spells with an exponent what is below 0.0001, and its exponents have two digits or more.
pub(super) fn float<W: ?Sized + Write>(out: &mut W, text: &str) -> Result<()> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    if let Some((first, rest)) = digits.strip_prefix("0.0000").and_then(|digits| digits.split_at_checked(1)) {
        let point = if rest.is_empty() { "" } else { "." };
        return write!(out, "{sign}{first}{point}{rest}e-05");
    }
    match text.split_once("e-") {
        Some((mantissa, exponent)) if exponent.len() == 1 => write!(out, "{mantissa}e-0{exponent}"),
        _ => out.write_all(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::json::to_vec;

    fn text<T: serde::Serialize>(value: T) -> String {
        String::from_utf8(to_vec(&value).unwrap()).unwrap()
    }

    #[test]
    fn floats_are_spelled_as_python_spells_them() {
        let spelled = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (0.000_123_4, "0.0001234"),
            (1e-5, "1e-05"),
            (-1.25e-5, "-1.25e-05"),
            (1e-7, "1e-07"),
            (1e-10, "1e-10"),
            // Halfway between two shortest spellings: the even one.
            ((1_u64 << 50) as f64 + 0.25, "1125899906842624.2"),
            (1.5e-10, "1.5e-10"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e20, "1e+20"),
            (1e22, "1e+22"),
            (123_456_789.125, "123456789.125"),
            (1_234_567_890_123_456.8, "1234567890123456.8"),
            (12_345_678_901_234_568.0, "1.2345678901234568e+16"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (5e-324, "5e-324"),
        ];
        for (float, python) in spelled {
            assert_eq!(text(float), python);
        }
    }

    #[test]
    fn short_floats_keep_their_own_digits() {
        assert_eq!(text([1.1_f32, 1e-7, 16_777_216.0]), "[1.1, 1e-07, 16777216.0]");
    }

    #[test]
    fn items_are_parted_by_comma_and_space() {
        let value = serde_json::json!({ "a": [1, 2, {}], "b": { "c": null, "d": true }, "e": [] });
        assert_eq!(text(value), r#"{"a": [1, 2, {}], "b": {"c": null, "d": true}, "e": []}"#);
    }

    #[test]
    fn text_is_ascii_only() {
        assert_eq!(
            text("a\u{7f}é€\u{2028}𝄞\"\\/\n\t\u{8}\u{c}\r\u{1}z"),
            r#""a\u007f\u00e9\u20ac\u2028\ud834\udd1e\"\\/\n\t\b\f\r\u0001z""#
        );
    }
}
