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
