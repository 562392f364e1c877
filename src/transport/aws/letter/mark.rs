//! The one attribute of the transport's own: who a message is, and what SNS and SQS could not carry of it.
//!
//! Anyone can write one. What is not exactly a mark is none: the message is then a stranger's, and nothing of it is lost.

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::{Attribute, Named, spelling};
use crate::{
    codec::json::{
        strict::{Fault, Strict},
        to_vec,
    },
    envelope::MessageId,
    time::epoch::after_1970,
};

/// The attribute's name.
pub(super) const MARK: &str = "tegami";

/// What the attribute says, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Mark {
    #[serde(serialize_with = "text")]
    pub(super) id: MessageId,
    #[serde(rename = "body", skip_serializing_if = "Form::is_plain")]
    pub(super) form: Form,
    /// Nobody handles it before then, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_before: Option<u64>,
    /// The attributes that cannot travel as themselves, or may not come back as they were.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub(super) rest: Named,
}

/// How the body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// As base64.
    Base64,
    /// Not at all: SNS and SQS take no empty body.
    Empty,
}

impl Form {
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }

    /// The body that was written so.
    pub(super) fn read(self, body: Bytes) -> Option<Bytes> {
        match self {
            Self::Plain => Some(body),
            Self::Base64 => STANDARD.decode(&body).ok().map(Bytes::from),
            Self::Empty => Some(Bytes::new()),
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "base64" => Some(Self::Base64),
            "empty" => Some(Self::Empty),
            _ => None,
        }
    }
}

fn text<S: Serializer>(id: &MessageId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.as_str())
}

impl Mark {
    /// The mark of a message with this id that travels as it is.
    pub(super) fn new(id: MessageId) -> Self {
        Self { id, form: Form::Plain, not_before: None, rest: Named::new() }
    }

    /// The attribute: bytes, for SNS drops what has JSON as text wherever a subscription has a filter.
    pub(super) fn to_attribute(&self) -> Attribute {
        Attribute::bytes(json(self).into_bytes())
    }

    /// What an attribute says, if it is a mark.
    pub(super) fn of(attributes: &Named) -> Option<Self> {
        Told::read(attributes.get(MARK)?.as_bytes()).ok()?.into_mark()
    }

    /// When the message may be handled.
    pub(super) fn not_before(&self) -> Option<SystemTime> {
        after_1970(Duration::from_millis(self.not_before?))
    }
}

/// What stands in the attribute, before it is weighed.
#[derive(Default)]
struct Told {
    id: Option<MessageId>,
    body: Option<String>,
    not_before: Option<f64>,
    rest: Option<Named>,
}

impl Told {
    fn read(text: &[u8]) -> Result<Self, Fault> {
        let (mut told, mut strict) = (Self::default(), Strict::of(text)?);
        strict.object(|name, member| {
            match name {
                "id" => told.id = member.text()?.and_then(MessageId::parse),
                "body" => told.body = member.text()?.map(Into::into),
                "not_before" => told.not_before = member.float()?,
                "rest" => {
                    let rest = spelling::read(member.skip()?);
                    told.rest = Some(rest.ok_or_else(|| member.fault("no attributes"))?);
                }
                _ => drop(member.skip()?),
            }
            Ok(())
        })?;
        strict.end()?;
        Ok(told)
    }

    fn into_mark(self) -> Option<Mark> {
        let form = self.body.map_or(Some(Form::Plain), |name| Form::named(&name))?;
        // The cast stops at the bounds of the type, and a time is bounded again where it is used.
        let not_before = self.not_before.map(|millis| millis as u64);
        Some(Mark { id: self.id?, form, not_before, rest: self.rest.unwrap_or_default() })
    }
}

/// JSON in ASCII, so that SQS takes it as text whatever it says.
pub(super) fn json(value: &impl Serialize) -> String {
    let text = to_vec(value).expect("it is made of texts and whole numbers");
    String::from_utf8(text).expect("JSON is text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;

    fn read(text: &str) -> Option<Mark> {
        Mark::of(&Named::from([(MARK.to_owned(), Attribute::text(text.to_owned()))]))
    }

    fn full() -> Mark {
        let rest =
            [("a", Value::from("")), ("\u{1}", Value::Integer(i128::MIN)), ("\u{ffff}", Value::Float(f64::INFINITY))];
        let rest = rest.iter().map(|(name, value)| ((*name).to_owned(), Attribute::from(value)));
        let id = MessageId::parse("id-1").unwrap();
        Mark { id, form: Form::Base64, not_before: Some(1_764_000_000_123), rest: rest.collect() }
    }

    #[test]
    fn a_mark_comes_back_whatever_it_says_and_is_no_text() {
        let attribute = full().to_attribute();
        assert_eq!(attribute.as_text(), None);
        assert_eq!(Mark::of(&Named::from([(MARK.to_owned(), attribute)])), Some(full()));
        let least = Mark::new(MessageId::parse("id-1").unwrap());
        assert_eq!(least.to_attribute(), Attribute::bytes(r#"{"id": "id-1"}"#.into()));
        assert_eq!(read(r#"{"id": "id-1"}"#), Some(least));
    }

    #[test]
    fn a_later_mark_that_says_more_is_one() {
        assert!(read(r#"{"id": "id-1", "more": [1, {"a": 2}], "body": null, "rest": null}"#).is_some());
    }

    #[test]
    fn x3_what_is_not_exactly_a_mark_is_none() {
        let long = format!(r#"{{"id": "{}"}}"#, "x".repeat(129));
        let deep = format!(r#"{{"id": "1", "x": {}1{}}}"#, "[".repeat(200), "]".repeat(200));
        let broken = [
            "",
            "5",
            "null",
            "[]",
            "{}",
            "\"id\"",
            r#"{"id": ""}"#,
            r#"{"id": "a b"}"#,
            r#"{"id": 5}"#,
            r#"{"id": null}"#,
            r#"{"id": "1", "id": "2"}"#,
            r#"{"id": "1"} {}"#,
            r#"{"id": "1""#,
            r#"{"id": "1", "body": "gzip"}"#,
            r#"{"id": "1", "body": 5}"#,
            r#"{"id": "1", "not_before": "now"}"#,
            r#"{"id": "1", "not_before": 1e400}"#,
            r#"{"id": "1", "rest": 5}"#,
            r#"{"id": "1", "rest": {"a": 1, "a": 2}}"#,
            &long,
            &deep,
        ];
        for text in broken {
            assert_eq!(read(text), None, "{text}");
        }
        let bytes = Attribute::told("Binary", "e30=".into());
        assert_eq!(Mark::of(&Named::from([(MARK.to_owned(), bytes)])), None);
        assert_eq!(Mark::of(&Named::new()), None);
    }

    #[test]
    fn r5_a_time_that_no_clock_shows_harms_nobody() {
        for (said, taken) in [("-5", 0), ("1e300", u64::MAX), ("0.5", 0)] {
            let mark = read(&format!(r#"{{"id": "1", "not_before": {said}}}"#)).unwrap();
            assert_eq!(mark.not_before, Some(taken));
            let _ = mark.not_before();
        }
    }
}
