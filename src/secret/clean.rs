//! Text from anywhere, made fit for a line: no control character, no password of a URL, no end that never comes.

use super::without_passwords;

/// The most of one value that is told, in characters.
const LONGEST: usize = 8 * 1024;
/// How much behind that is looked at: the end of a URL may stand there, by which a password before it is known.
const BEHIND: usize = 4 * 1024;

/// The text without the passwords of its URLs, and not too long.
pub(crate) fn clean(text: &str) -> String {
    let seen = text.char_indices().nth(LONGEST + BEHIND).map_or(text.len(), |(end, _)| end);
    let mut clean = without_passwords(&text[..seen]);
    if let Some((end, _)) = clean.char_indices().nth(LONGEST) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
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

    #[test]
    fn a_password_where_a_text_is_cut_is_not_told() {
        for before in LONGEST - 40..LONGEST + 4 {
            let told = clean(&format!("{}amqp://user:password@host/ and so on", "x".repeat(before)));
            assert!(!told.contains("pass"), "{before}: {told}");
        }
    }
}
