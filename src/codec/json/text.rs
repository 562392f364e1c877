//! JSON text: how it is written, and what is refused while it is read.

use serde::{Deserialize, Serialize};
use serde_json::{Error, Result};

use super::{finite, layout::Layout};

/// As deep as JSON may nest.
const DEPTH: usize = 128;

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
/// Not JSON, not UTF-8, not this type, nested too deep, or something after the end.
pub fn from_slice<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T> {
    let text = std::str::from_utf8(text).map_err(serde::de::Error::custom)?;
    if is_too_deep(text.as_bytes()) {
        return Err(serde::de::Error::custom(format_args!("nested more than {DEPTH} deep")));
    }
    serde_json::from_str(text)
}

/// The parser bounds only what it builds; what it skips may nest on.
fn is_too_deep(text: &[u8]) -> bool {
    // Few texts have enough brackets to need the careful look.
    text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > DEPTH && deepest(text) > DEPTH
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

pub(super) fn refuse(reason: &str) -> Error {
    serde::ser::Error::custom(reason)
}
