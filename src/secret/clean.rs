//! Text from anywhere, made fit for a line: no control character, no password of a URL, no end that never comes.

use super::without_passwords;

/// The most of one value that is told, in characters.
const LONGEST: usize = 8 * 1024;

/// The text without the passwords of its URLs, and not too long.
pub(crate) fn clean(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => without_passwords(&text[..end]) + "…",
        None => without_passwords(text),
    }
}

/// Is this a sign that a terminal or a reader takes for more than itself? (Control characters, ends of lines, and what
/// turns the direction of text.)
pub(crate) fn is_hostile(sign: char) -> bool {
    sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Adds the text with each hostile sign spelled out.
pub(crate) fn push_spelled_out(line: &mut String, text: &str) {
    for sign in text.chars() {
        if is_hostile(sign) {
            line.extend(sign.escape_default());
        } else {
            line.push(sign);
        }
    }
}

/// The text, cleaned, with each hostile sign spelled out.
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "only what is sent is no line"))]
pub(crate) fn spelled_out(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    push_spelled_out(&mut told, &clean(text));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_bounded() {
        assert_eq!(clean(&"é".repeat(100_000)).chars().count(), LONGEST + 1);
    }
}
