//! The `format`s of text that contracts check: date, e-mail, URI.
//!
//! Shape only, never existence: what RFC 3339, 5321 and 3986 say of characters and their places.

/// A day of the calendar: `2026-02-28`.
pub(super) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let number = |from: usize, to: usize| {
        text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<u32>().ok()
    };
    let Some(((year, month), day)) = number(0, 4).zip(number(5, 7)).zip(number(8, 10)).filter(|_| shape) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// `local@domain`, the local part unquoted.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_atom = |part: &str| !part.is_empty() && part.bytes().all(atom);
    let is_label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inside)
    };
    local.len() <= 64 && local.split('.').all(is_atom) && domain.len() <= 255 && domain.split('.').all(is_label)
}

/// A scheme, a colon, and only characters that a URI may hold.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let first = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let is_scheme = first && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let escapes = rest
        .split('%')
        .skip(1)
        .all(|escape| escape.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    is_scheme && rest.bytes().all(allowed) && escapes && rest.matches('#').count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_of_the_calendar() {
        for date in ["2026-02-28", "2024-02-29", "2000-02-29", "0001-12-31"] {
            assert!(is_date(date), "{date}");
        }
        for date in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-1-1",
            "2026-00-10",
            "2026-01-00",
            "+026-01-01",
            "é26-01-01",
            "",
        ] {
            assert!(!is_date(date), "{date}");
        }
    }

    #[test]
    fn addresses_have_a_local_part_and_a_domain() {
        for address in ["a@b", "first.last+tag@mail.example.org"] {
            assert!(is_email(address), "{address}");
        }
        for address in ["a", "@b", "a@", "a..b@c", "a b@c", "a@-b", "a@b..c", "a@b_c"] {
            assert!(!is_email(address), "{address}");
        }
    }

    #[test]
    fn uris_are_absolute() {
        for uri in ["https://example.org/a?b=c#d", "urn:isbn:0451450523", "mailto:a@b"] {
            assert!(is_uri(uri), "{uri}");
        }
        for uri in ["/a", "example.org", "1a:b", "http://a b", "http://a/%zz", "http://a/%4", "http://é"] {
            assert!(!is_uri(uri), "{uri}");
        }
    }
}
