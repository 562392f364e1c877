//! Text from anywhere, made fit for a line: no control character, no password of a URL, no end that never comes.

/// The most of one value that is told, in characters.
const LONGEST: usize = 8 * 1024;

/// The text without the passwords of its URLs, and not too long.
pub(super) fn clean(text: &str) -> String {
    let mut clean = match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let mut from = 0;
    while let Some(place) = clean[from..].find("://") {
        let start = from + place + 3;
        let rest = &clean[start..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '/' || c == '`').unwrap_or(rest.len());
        from = start;
        if let Some((credentials, _)) = rest[..end].rsplit_once('@') {
            let user = credentials.split(':').next().unwrap_or_default().len();
            if user < credentials.len() {
                let password = start + user + 1..start + credentials.len();
                clean.replace_range(password, "***");
            }
        }
    }
    clean
}

/// Is this a sign that a terminal or a reader takes for more than itself? (Control characters, ends of lines, and what
/// turns the direction of text.)
pub(super) fn is_hostile(sign: char) -> bool {
    sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Adds the text with each hostile sign spelled out.
pub(super) fn push_spelled_out(line: &mut String, text: &str) {
    for sign in text.chars() {
        if is_hostile(sign) {
            line.extend(sign.escape_default());
        } else {
            line.push(sign);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k03_no_password_of_a_url_is_left() {
        for (text, told) in [
            ("amqp://user:s3cr3t@host/%2f", "amqp://user:***@host/%2f"),
            ("uri=\"amqp://user:s3@cr3t@host\" x", "uri=\"amqp://user:***@host\" x"),
            ("a://u:p@h b://u:p@h", "a://u:***@h b://u:***@h"),
            ("https://host:80/a@b", "https://host:80/a@b"),
            ("https://user@host", "https://user@host"),
            ("://", "://"),
            ("no url: a@b", "no url: a@b"),
        ] {
            assert_eq!(clean(text), told, "{text}");
        }
    }

    #[test]
    fn what_is_told_is_bounded() {
        assert_eq!(clean(&"é".repeat(100_000)).chars().count(), LONGEST + 1);
    }
}
