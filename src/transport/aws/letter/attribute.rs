//! One attribute as SNS and SQS carry it: a type with a label, and text or bytes.

use std::borrow::Cow;

use aws_sdk_sns::types::MessageAttributeValue as SnsValue;
use aws_sdk_sqs::types::MessageAttributeValue as SqsValue;
use aws_smithy_types::Blob;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::number;
use crate::event::{Value, is_plain_text};

const STRING: &str = "String";
const NUMBER: &str = "Number";
const BINARY: &str = "Binary";
/// Tomodachi sends true and false as it.
const ARRAY: &str = "String.Array";

/// An attribute as SNS and SQS carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// `String`, `Number`, `Binary` or `String.Array`, or the first three with a label of someone's own behind a dot.
    kind: Cow<'static, str>,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Attribute {
    /// A text.
    pub(super) fn text(text: String) -> Self {
        Self { kind: STRING.into(), content: Content::Text(text) }
    }

    /// Bytes, which no filter looks at.
    pub(super) fn bytes(bytes: Vec<u8>) -> Self {
        Self { kind: BINARY.into(), content: Content::Bytes(bytes) }
    }

    /// What a type and a text say; bytes are told as base64, or else they are the text.
    pub(super) fn told(kind: &str, text: Cow<'_, str>) -> Self {
        if base(kind) != BINARY {
            return Self { kind: kind.to_owned().into(), content: Content::Text(text.into_owned()) };
        }
        match STANDARD.decode(text.as_bytes()) {
            Ok(bytes) => Self { kind: kind.to_owned().into(), content: Content::Bytes(bytes) },
            Err(_) => Self::text(text.into_owned()),
        }
    }

    fn of(kind: String, text: Option<String>, bytes: Option<Blob>) -> Self {
        let content = match (text, bytes) {
            (None, Some(bytes)) => Content::Bytes(bytes.into_inner()),
            (text, _) => Content::Text(text.unwrap_or_default()),
        };
        Self { kind: kind.into(), content }
    }

    /// Its text, where it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Bytes(_) => None,
        }
    }

    /// Its bytes, or those of its text.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match &self.content {
            Content::Text(text) => text.as_bytes(),
            Content::Bytes(bytes) => bytes,
        }
    }

    /// The bytes of its type and value.
    pub(super) fn size(&self) -> usize {
        self.kind.len() + self.as_bytes().len()
    }
}

/// The type without a label.
fn base(kind: &str) -> &str {
    kind.split_once('.').map_or(kind, |(base, _)| base)
}

/// What SNS and SQS carry for a value. Not all that it says is taken by them: see [`is_carried`].
impl From<&Value> for Attribute {
    fn from(value: &Value) -> Self {
        let (kind, text) = match value {
            Value::Text(text) => (STRING, text.to_string()),
            Value::Integer(number) => (NUMBER, number.to_string()),
            Value::Float(number) => (NUMBER, number::spelled(*number)),
            Value::Bool(truth) => (ARRAY, truth.to_string()),
        };
        Self { kind: kind.into(), content: Content::Text(text) }
    }
}

/// What an attribute means to us; whatever we have no value for is text.
impl From<Attribute> for Value {
    fn from(attribute: Attribute) -> Self {
        let text = match attribute.content {
            Content::Text(text) => text,
            Content::Bytes(bytes) => return Value::from(STANDARD.encode(bytes)),
        };
        match (attribute.kind.as_ref(), text.as_str()) {
            (ARRAY, "true") => Value::Bool(true),
            (ARRAY, "false") => Value::Bool(false),
            (kind, _) if base(kind) == NUMBER => number::read(text),
            _ => Value::from(text),
        }
    }
}

/// Do SNS and SQS take this value as an attribute?
pub(super) fn is_carried(value: &Value) -> bool {
    match value {
        Value::Text(text) => is_plain_text(text),
        Value::Integer(number) => number::is_carried_integer(*number),
        Value::Float(number) => number::is_carried_float(*number),
        Value::Bool(_) => true,
    }
}

/// Does the attribute come back as it was, whatever is done to numbers on the way?
pub(super) fn is_certain(value: &Value) -> bool {
    match value {
        Value::Integer(number) => number::is_certain_integer(*number),
        Value::Float(number) => number::is_certain_float(*number),
        Value::Text(_) | Value::Bool(_) => true,
    }
}

/// Is every character one that SQS takes? (They are those of XML 1.0.)
pub(super) fn is_text(text: &str) -> bool {
    // Bodies are long: without an early end, many bytes are looked at at once.
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    let control = text.bytes().fold(false, |found, byte| found | is_control(byte));
    !control && !text.contains('\u{fffe}') && !text.contains('\u{ffff}')
}

impl From<Attribute> for SnsValue {
    fn from(attribute: Attribute) -> Self {
        let built = SnsValue::builder().data_type(attribute.kind);
        let built = match attribute.content {
            Content::Text(text) => built.string_value(text),
            Content::Bytes(bytes) => built.binary_value(Blob::new(bytes)),
        };
        built.build().expect("its type is said")
    }
}

impl From<Attribute> for SqsValue {
    fn from(attribute: Attribute) -> Self {
        let built = SqsValue::builder().data_type(attribute.kind);
        let built = match attribute.content {
            Content::Text(text) => built.string_value(text),
            Content::Bytes(bytes) => built.binary_value(Blob::new(bytes)),
        };
        built.build().expect("its type is said")
    }
}

impl From<SnsValue> for Attribute {
    fn from(value: SnsValue) -> Self {
        Self::of(value.data_type, value.string_value, value.binary_value)
    }
}

impl From<SqsValue> for Attribute {
    fn from(value: SqsValue) -> Self {
        Self::of(value.data_type, value.string_value, value.binary_value)
    }
}

/// As the body of a notification spells it.
impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut spelled = serializer.serialize_struct("Attribute", 2)?;
        spelled.serialize_field("Type", &self.kind)?;
        match &self.content {
            Content::Text(text) => spelled.serialize_field("Value", text)?,
            Content::Bytes(bytes) => spelled.serialize_field("Value", &STANDARD.encode(bytes))?,
        }
        spelled.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, text: &str) -> Value {
        Attribute::told(kind, text.into()).into()
    }

    #[test]
    fn p9_values_come_back_from_the_types_of_both_clients() {
        let bytes = Attribute::told("Binary.png", "AAH/".into());
        let values = [Value::from("é"), Value::Integer(i128::MIN), Value::Float(-0.5), Value::Bool(true)];
        for attribute in values.iter().map(Attribute::from).chain([bytes]) {
            assert_eq!(Attribute::from(SnsValue::from(attribute.clone())), attribute);
            assert_eq!(Attribute::from(SqsValue::from(attribute.clone())), attribute);
        }
        for value in values {
            assert_eq!(Value::from(Attribute::from(&value)), value);
        }
    }

    #[test]
    fn attributes_of_tomodachi_are_read_as_what_they_were() {
        assert_eq!(told("String", "v"), Value::from("v"));
        assert_eq!(told("String.Array", "true"), Value::Bool(true));
        assert_eq!(told("String.Array", "false"), Value::Bool(false));
        assert_eq!(told("String.Array", "null"), Value::from("null"));
        assert_eq!(told("String.Array", r#"["a", 1]"#), Value::from(r#"["a", 1]"#));
        assert_eq!(told("Number", "4711"), Value::Integer(4711));
        assert_eq!(told("Number", "1e+20"), Value::Float(1e20));
        assert_eq!(told("Binary", "AAH/"), Value::from("AAH/"));
    }

    #[test]
    fn whatever_others_say_is_a_value() {
        assert_eq!(told("Number.float", "1.5"), Value::Float(1.5));
        assert_eq!(told("Number.", "many"), Value::from("many"));
        assert_eq!(told("String.html", "<p>"), Value::from("<p>"));
        assert_eq!(told("Binary", "no base64!"), Value::from("no base64!"));
        assert_eq!(told("Unheard", "5"), Value::from("5"));
        assert_eq!(told("", ""), Value::from(""));
        let nothing = SqsValue::builder().data_type("Number").build().unwrap();
        assert_eq!(Value::from(Attribute::from(nothing)), Value::from(""));
    }

    #[test]
    fn texts_are_of_the_characters_that_sqs_takes() {
        let taken = "\t\n\r ~\u{7f}\u{85}é\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}";
        assert!(is_text(taken) && is_text(""));
        let refused = (0..0x20).filter_map(char::from_u32).filter(|char| !"\t\n\r".contains(*char));
        for char in refused.chain(['\u{fffe}', '\u{ffff}']) {
            assert!(!is_text(&format!("a{char}b")), "{char:?}");
        }
    }
}
