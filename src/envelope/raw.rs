//! No envelope at all: the body is the payload, and what a message says of itself travels beside it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    DecodeError, EncodeError, EncodeErrorKind, Envelope, Head, Message, MessageId, Payload, Sealed, Source,
    bounds::undecodable, moment, strict,
};
use crate::event::{Attributes, Encoding, Value};

/// The attribute that holds the head.
const HEAD: &str = "tegami-head";

/// The payload as it is; the head in one attribute, `tegami-head`.
///
/// Messages without that attribute are taken as they come: a payload of the configured encoding, of nobody
/// in particular.
///
/// # Examples
/// ```
/// use tegami::{envelope::{Envelope, Raw, Sealed}, event::Encoding};
///
/// let foreign = Sealed { body: r#"{"order_id": "o-1"}"#.into(), ..Sealed::default() };
/// assert_eq!(Raw::json().open(&foreign)?.content.encoding, Encoding::Json);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Raw {
    encoding: Encoding,
}

impl Raw {
    /// Bodies are JSON unless they say otherwise.
    pub fn json() -> Self {
        Self { encoding: Encoding::Json }
    }

    /// Bodies are protobuf unless they say otherwise.
    pub fn protobuf() -> Self {
        Self { encoding: Encoding::Protobuf }
    }

    fn open_foreign(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        // No bytes would be a valid protobuf event with every field left empty.
        if sealed.body.is_empty() {
            return Err(undecodable("the body is empty"));
        }
        let head = Head::new().attributes(sealed.attributes.clone());
        Ok(Message::new(head, Payload { encoding: self.encoding, bytes: sealed.body.clone() }))
    }
}

impl Envelope for Raw {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn content_type(&self) -> &'static str {
        self.encoding.media_type()
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        let Message { mut head, content } = message;
        let mut attributes = std::mem::take(&mut head.attributes);
        let beside = serde_json::to_string(&Beside::of(head, content.encoding)?).map_err(|error| {
            EncodeError::new(EncodeErrorKind::Unencodable, "the head has no JSON form").caused_by(error)
        })?;
        attributes.set(HEAD, beside);
        Ok(Sealed { body: content.bytes, attributes })
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        let mut attributes = sealed.attributes.clone();
        let beside = match attributes.remove(HEAD) {
            None => return self.open_foreign(sealed),
            Some(Value::Text(text)) => text,
            Some(_) => return Err(undecodable("attribute `tegami-head` is not text")),
        };
        let beside: Beside = strict::read(beside.as_bytes(), "a head in attribute `tegami-head`")?;
        let encoding = beside.encoding.into();
        Ok(Message::new(beside.into_head(attributes)?, Payload { encoding, bytes: sealed.body.clone() }))
    }
}

/// What stands in the attribute.
#[derive(Serialize, Deserialize)]
struct Beside {
    encoding: Mark,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    Json,
    Protobuf,
}

impl From<Mark> for Encoding {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Json => Encoding::Json,
            Mark::Protobuf => Encoding::Protobuf,
        }
    }
}

impl Beside {
    fn of(head: Head, encoding: Encoding) -> Result<Self, EncodeError> {
        Ok(Self {
            encoding: match encoding {
                Encoding::Json => Mark::Json,
                Encoding::Protobuf => Mark::Protobuf,
            },
            id: head.id.map(|id| id.to_string()),
            event: head.event,
            time: head.time.map(moment::to_rfc3339).transpose()?,
            service: head.source.service,
            instance: head.source.instance,
            topic: head.topic,
            correlation_id: head.correlation_id.map(|id| id.to_string()),
            causation_id: head.causation_id.map(|id| id.to_string()),
            key: head.key,
        })
    }

    fn into_head(self, attributes: Attributes) -> Result<Head, DecodeError> {
        Ok(Head {
            id: MessageId::told("message", self.id)?,
            event: self.event,
            time: self.time.as_deref().map(moment::from_rfc3339).transpose()?,
            source: Source { service: self.service, instance: self.instance },
            topic: self.topic,
            correlation_id: MessageId::told("correlation", self.correlation_id)?,
            causation_id: MessageId::told("causation", self.causation_id)?,
            key: self.key,
            attributes,
        })
    }
}
