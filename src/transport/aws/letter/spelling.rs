//! Attributes as JSON spells them: in a notification's body, in a direct send, in events of Lambda, in our own mark.

use std::borrow::Cow;

use super::{Attribute, Named};
use crate::codec::json::strict::{Fault, Strict};

/// The most attributes that are read from one JSON text. SNS writes far fewer: it bounds their bytes.
const MOST: usize = 256;

/// The attributes in a text; none, if it says `null`, and no answer if it is neither that nor an object.
pub(super) fn read(text: &str) -> Option<Named> {
    if text == "null" {
        return Some(Named::new());
    }
    let (mut named, mut strict) = (Named::new(), Strict::of(text.as_bytes()).ok()?);
    strict
        .object(|name, member| {
            if named.len() == MOST {
                return Err(member.fault("too many attributes"));
            }
            named.insert(name.to_owned(), attribute(member.skip()?)?);
            Ok(())
        })
        .ok()?;
    strict.end().ok()?;
    Some(named)
}

/// One attribute. A text or a number that stands alone is taken as if it were spelled out.
fn attribute(text: &str) -> Result<Attribute, Fault> {
    if !text.starts_with('{') {
        return Ok(Attribute::text(plain(text)?.unwrap_or_default().into_owned()));
    }
    let (mut kind, mut value) = (None, None);
    Strict::of(text.as_bytes())?.object(|name, member| {
        match name {
            "Type" | "DataType" | "type" | "dataType" => kind = plain(member.skip()?)?,
            "Value" | "StringValue" | "BinaryValue" | "value" | "stringValue" | "binaryValue" => {
                value = plain(member.skip()?)?.or_else(|| value.take());
            }
            _ => drop(member.skip()?),
        }
        Ok(())
    })?;
    Ok(Attribute::told(kind.as_deref().unwrap_or("String"), value.unwrap_or_default()))
}

/// A string as what it says, anything else as it stands; none for `null`.
fn plain(text: &str) -> Result<Option<Cow<'_, str>>, Fault> {
    match text.as_bytes().first() {
        Some(b'"' | b'n') => Strict::of(text.as_bytes())?.text(),
        _ => Ok(Some(text.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;

    fn value(text: &str) -> Option<Value> {
        Some(read(&format!(r#"{{"n": {text}}}"#))?.remove("n")?.into())
    }

    #[test]
    fn the_four_spellings_are_read() {
        let spellings = [
            r#"{"Type": "Number", "Value": "4711"}"#,
            r#"{"DataType": "Number", "StringValue": "4711"}"#,
            r#"{"dataType": "Number", "stringValue": "4711", "binaryValue": null, "stringListValues": []}"#,
            r#"{"value": "4711", "type": "Number"}"#,
            r#"{"Type": "Number", "Value": 4711}"#,
        ];
        for text in spellings {
            assert_eq!(value(text), Some(Value::Integer(4711)), "{text}");
        }
        let bytes = r#"{"binaryValue": "AAH/", "stringValue": null, "dataType": "Binary"}"#;
        assert_eq!(value(bytes), Some(Value::from("AAH/")));
    }

    #[test]
    fn what_nobody_writes_is_text_and_no_error() {
        for (text, taken) in [("\"a\\nb\"", "a\nb"), ("5", "5"), ("null", ""), ("[1, 2]", "[1, 2]"), ("{}", "")] {
            assert_eq!(value(text), Some(Value::from(taken)), "{text}");
        }
        assert_eq!(value(r#"{"Type": "String", "Value": {"a": 1}}"#), Some(Value::from(r#"{"a": 1}"#)));
        assert_eq!(read("null"), Some(Named::new()));
    }

    #[test]
    fn what_is_not_an_object_of_attributes_is_refused() {
        for text in
            ["", "5", "[]", "\"a\"", "{", "{} {}", r#"{"a": 1, "a": 2}"#, r#"{"a": {"Type": "String", "Type": "x"}}"#]
        {
            assert_eq!(read(text), None, "{text}");
        }
        let many =
            |count: usize| format!("{{{}}}", (0..count).map(|n| format!("\"{n}\": 1")).collect::<Vec<_>>().join(","));
        assert_eq!(read(&many(256)).map(|named| named.len()), Some(256));
        assert_eq!(read(&many(257)), None);
    }
}
