//! Single values in the layout of `json.dumps`, for texts whose members are known and written in place.

use super::{layout::float, to_vec};

/// Appends a string.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if !text.as_bytes().iter().all(plain) {
        return out.extend(to_vec(text).expect("every string has a JSON form"));
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Appends a float that is a number.
pub(crate) fn put_float(out: &mut Vec<u8>, number: f64) {
    float(out, zmij::Buffer::new().format_finite(number)).expect("writing to memory does not fail");
}

/// Appends what stands before a value, and the value, or `null` for none.
pub(crate) fn put_some(out: &mut Vec<u8>, before: &str, text: Option<&str>) {
    out.extend_from_slice(before.as_bytes());
    match text {
        Some(text) => put_text(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_as_the_serializer_writes_them() {
        for text in ["", "plain text~", "a\"b", "a\\b", "a\nb", "\u{7f}", "é", "𝄞", "a longer text, with é in it"]
        {
            let mut out = Vec::new();
            put_text(&mut out, text);
            assert_eq!(out, to_vec(text).unwrap(), "{text}");
        }
        for number in [0.0, -1.5, 1e-7, 1_795_224_550.768_429_5] {
            let mut out = Vec::new();
            put_float(&mut out, number);
            assert_eq!(out, to_vec(&number).unwrap());
        }
    }
}
