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
        float(out, format_args!("{value:e}"))
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> Result<()> {
        float(out, format_args!("{value:e}"))
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
        if fragment.bytes().all(is_plain) { out.write_all(fragment.as_bytes()) } else { escape(out, fragment) }
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

/// Lays out a finite float from its shortest digits, given as `-1.234e-5`.
fn float<W: ?Sized + Write>(out: &mut W, scientific: std::fmt::Arguments<'_>) -> Result<()> {
    let mut buffer = [0_u8; 32];
    let mut rest = &mut buffer[..];
    rest.write_fmt(scientific)?;
    let unused = rest.len();
    let written = &buffer[..buffer.len() - unused];
    let (sign, written) = written.strip_prefix(b"-").map_or((&b""[..], written), |rest| (b"-", rest));
    out.write_all(sign)?;
    let split = written.iter().position(|byte| *byte == b'e').unwrap_or(written.len());
    let (mantissa, exponent) = written.split_at(split);
    let exponent: i32 = std::str::from_utf8(exponent).ok().and_then(|text| text.get(1..)?.parse().ok()).unwrap_or(0);
    let (first, fraction) = (&mantissa[..1.min(mantissa.len())], mantissa.get(2..).unwrap_or(b""));
    match exponent {
        -4..=-1 => small(out, first, fraction, exponent.unsigned_abs() as usize),
        0..=15 => large(out, first, fraction, exponent.unsigned_abs() as usize),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            out.write_all(mantissa)?;
            write!(out, "e{sign}{:02}", exponent.unsigned_abs())
        }
    }
}

/// Below one: zeros before the digits.
fn small<W: ?Sized + Write>(out: &mut W, first: &[u8], fraction: &[u8], exponent: usize) -> Result<()> {
    out.write_all(b"0.")?;
    out.write_all(&b"000"[..exponent - 1])?;
    out.write_all(first)?;
    out.write_all(fraction)
}

/// From one: the point moved to the right, zeros after the digits if they do not reach it.
fn large<W: ?Sized + Write>(out: &mut W, first: &[u8], fraction: &[u8], exponent: usize) -> Result<()> {
    let (before, after) = fraction.split_at(exponent.min(fraction.len()));
    out.write_all(first)?;
    out.write_all(before)?;
    out.write_all(&b"000000000000000"[..exponent - before.len()])?;
    out.write_all(b".")?;
    out.write_all(if after.is_empty() { b"0" } else { after })
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
            (1e-7, "1e-07"),
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
