//! Who made a message, as the relative URI that CloudEvents asks for: `service/instance`.

use std::{borrow::Cow, fmt::Write};

use super::Source;

/// Writes `service`, `service/instance`, `/instance`, or `/` where neither is known.
pub(super) fn write(source: &Source) -> String {
    let mut uri = escape(source.service.as_deref().unwrap_or_default());
    match source.instance.as_deref() {
        Some(instance) => uri.extend(["/", &escape(instance)]),
        None if uri.is_empty() => uri.push('/'),
        None => {}
    }
    uri
}

/// Reads what [`write`] wrote; any other URI is taken whole as the service's name.
pub(super) fn read(uri: &str) -> Source {
    let (service, instance) = uri.split_once('/').unwrap_or((uri, ""));
    match (unescape(service), unescape(instance)) {
        (Some(service), Some(instance)) => Source { service: told(service), instance: told(instance) },
        _ => Source { service: told(uri.to_owned()), instance: None },
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if is_plain(byte) {
            escaped.push(byte.into());
        } else {
            write!(escaped, "%{byte:02X}").expect("a string takes every text");
        }
        escaped
    })
}

/// The text that [`escape`] wrote so; `None` where it did not.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            byte if is_plain(byte) => byte,
            _ => return None,
        });
    }
    String::from_utf8(plain).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

fn told(text: String) -> Option<Cow<'static, str>> {
    Some(text.into()).filter(|text: &Cow<'_, str>| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(service: &'static str, instance: &'static str) -> Source {
        Source { service: told(service.into()), instance: told(instance.into()) }
    }

    #[test]
    fn service_and_instance_come_back() {
        let table = [
            ("billing", "", "billing"),
            ("billing", "5d0b530f", "billing/5d0b530f"),
            ("", "5d0b530f", "/5d0b530f"),
            ("", "", "/"),
            ("a b/ü", "x:y", "a%20b%2F%C3%BC/x%3Ay"),
        ];
        for (service, instance, uri) in table {
            assert_eq!(write(&source(service, instance)), uri);
            assert_eq!(read(uri), source(service, instance));
        }
    }

    #[test]
    fn foreign_uris_are_kept_whole() {
        for uri in ["https://example.com/shop", "urn:shop:1", "/a/b/c", "100%", "%zz", "%FF", "a b"] {
            assert_eq!(read(uri), source(uri, ""), "{uri}");
        }
    }
}
