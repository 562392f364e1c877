//! What stands behind the `?` of a transport's URL.

/// Each `name=value` of a query, still encoded.
///
/// # Errors
/// A name that stands there twice.
pub(super) fn pairs(query: &str) -> Result<Vec<(&str, &str)>, &str> {
    let mut pairs = Vec::<(&str, &str)>::new();
    for pair in query.split('&').filter(|_| !query.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(name);
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// What percent-encoded text says; none if it is no such text, or says something that cannot be seen.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (code, plain) =
            piece.split_at_checked(2).filter(|(code, _)| code.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(plain.as_bytes());
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}
