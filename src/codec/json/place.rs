//! Where in a JSON text an event could not be read: for clients, who are told the field.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use super::discreet::discreet;

/// The first field that is not as the type has it, and why; none if the text is no JSON, or can be read.
///
/// The field is empty where the text as a whole is meant.
pub(crate) fn wrong_field<T: DeserializeOwned>(text: &[u8]) -> Option<(String, String)> {
    serde_json::from_slice::<IgnoredAny>(text).ok()?;
    if !text.trim_ascii_start().starts_with(b"{") {
        return Some((String::new(), "is not an object".to_owned()));
    }
    let error = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(text)).err()?;
    let place = dotted(error.path());
    let told = discreet(error.into_inner()).to_string();
    let reason = told.rfind(" at line ").map_or(told.as_str(), |end| &told[..end]);
    let missing = reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    Some(match missing {
        Some(name) if place.is_empty() => (name.to_owned(), "is missing".to_owned()),
        Some(name) => (format!("{place}.{name}"), "is missing".to_owned()),
        None => (place, reason.to_owned()),
    })
}

/// `items.0.price`, as paths of values that break a rule are.
fn dotted(path: &Path) -> String {
    let names = path.iter().map(|segment| match segment {
        Segment::Seq { index } => index.to_string(),
        Segment::Map { key } => key.clone(),
        Segment::Enum { variant } => variant.clone(),
        Segment::Unknown => "?".to_owned(),
    });
    names.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::wrong_field;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Order {
        id: String,
        parts: Vec<Part>,
        notes: BTreeMap<String, u8>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Part {
        count: u8,
    }

    fn told(text: &str) -> Option<(String, String)> {
        wrong_field::<Order>(text.as_bytes())
    }

    #[test]
    fn x6_the_field_is_told_and_its_value_is_not() {
        for (text, field, reason) in [
            ("[]", "", "is not an object"),
            (" 7", "", "is not an object"),
            (r#"{"id":"a"}"#, "parts", "is missing"),
            (r#"{"parts":[{"count":1},{}]}"#, "parts.1.count", "is missing"),
            (r#"{"parts":[{"count":"4111"}]}"#, "parts.0.count", "invalid type: string, expected u8"),
            (r#"{"notes":{"a":1,"b":4111}}"#, "notes.b", "invalid value: integer, expected u8"),
            (r#"{"idd":1}"#, "idd", "unknown field `idd`, expected one of `id`, `parts`, `notes`"),
            (r#"{"id":"a","id":"b"}"#, "", "duplicate field `id`"),
        ] {
            assert_eq!(told(text), Some((field.to_owned(), reason.to_owned())), "{text}");
        }
        for text in ["", "{", "{}x", "hello", r#"{"id":"a","parts":[],"notes":{}}"#] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
