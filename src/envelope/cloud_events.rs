//! CloudEvents 1.0 in its structured JSON form
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::{
    DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Envelope, Head, Message, MessageId, Payload, Sealed,
    bounds::{Bounds, shown, to_base64, undecodable},
    moment, source_uri, strict,
};
use crate::{codec::json, event::Encoding};

const SPEC_VERSION: &str = "1.0";

/// CloudEvents, structured: the whole message is one JSON text.
///
/// The event's name is the `type`, the key is the `subject`, the service and its instance are the `source`.
/// Correlation id, causation id and topic are the extensions `correlationid`, `causationid` and `tegamitopic`;
/// extensions of others are skipped. Messages need an id and an event name, because the specification does.
///
/// # Examples
/// ```
/// use tegami::{codec::Payload, envelope::*, event::Encoding};
///
/// let head = Head::new().id(MessageId::parse("m-1").unwrap()).event("shop.orders.v1.OrderPaid").service("orders");
/// let message = Message::new(head, Payload { encoding: Encoding::Json, bytes: "{}".into() });
/// let envelope = CloudEvents::json();
/// assert_eq!(envelope.open(&envelope.seal(message.clone())?)?, message);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CloudEvents {
    encoding: Encoding,
    bounds: Bounds,
}

impl CloudEvents {
    /// Payloads as JSON in `data`.
    pub fn json() -> Self {
        Self { encoding: Encoding::Json, bounds: Bounds::default() }
    }

    /// Payloads as protobuf in `data_base64`, for events that have that form.
    pub fn protobuf() -> Self {
        Self { encoding: Encoding::Protobuf, bounds: Bounds::default() }
    }

    /// The most bytes a payload may have; 8 MiB unless set. More is not sealed, either.
    #[must_use]
    pub fn payload_limit(self, bytes: usize) -> Self {
        Self { bounds: Bounds::of(bytes), ..self }
    }

    fn payload(&self, body: &Body<'_>) -> Result<Payload, DecodeError> {
        let encoding = encoding_of(body.datacontenttype.as_deref().unwrap_or("application/json"))?;
        let bytes = match (body.data, &body.data_base64, encoding) {
            (Some(data), None, Encoding::Json) => data.get().as_bytes().to_vec(),
            (None, Some(text), _) => self.bounds.decode_base64(text)?,
            (Some(_), None, Encoding::Protobuf) => return Err(undecodable("protobuf travels in `data_base64`")),
            (Some(_), Some(_), _) => return Err(undecodable("both `data` and `data_base64`")),
            (None, None, _) => return Err(undecodable("neither `data` nor `data_base64`")),
        };
        self.bounds.check(bytes.len())?;
        Ok(Payload { encoding, bytes: bytes.into() })
    }
}

impl Default for CloudEvents {
    fn default() -> Self {
        Self::json()
    }
}

impl Envelope for CloudEvents {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn content_type(&self) -> &'static str {
        "application/cloudevents+json"
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        let Message { head, content } = message;
        self.bounds.admit("the payload", content.bytes.len())?;
        let data: Option<&RawValue> = match content.encoding {
            Encoding::Json => Some(serde_json::from_slice(&content.bytes).map_err(no_form)?),
            Encoding::Protobuf => None,
        };
        let body = Body {
            specversion: SPEC_VERSION.into(),
            id: head.id.ok_or_else(|| needs("an id"))?.to_string(),
            source: source_uri::write(&head.source),
            event: head.event.filter(|name| !name.is_empty()).ok_or_else(|| needs("an event name"))?,
            time: head.time.map(moment::to_rfc3339).transpose()?,
            subject: head.key,
            datacontenttype: Some(content.encoding.media_type().into()),
            correlationid: head.correlation_id.map(|id| id.to_string()),
            causationid: head.causation_id.map(|id| id.to_string()),
            tegamitopic: head.topic,
            data,
            data_base64: data.is_none().then(|| to_base64(&content.bytes)),
        };
        let body = json::to_vec(&body).map_err(no_form)?;
        Ok(Sealed { body: body.into(), attributes: head.attributes })
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        let body: Body<'_> = strict::read(&sealed.body, "a CloudEvents message")?;
        body.check()?;
        let payload = self.payload(&body)?;
        let head = Head {
            id: MessageId::told("message", Some(body.id))?,
            event: Some(body.event),
            time: body.time.as_deref().map(moment::from_rfc3339).transpose()?,
            source: source_uri::read(&body.source),
            topic: body.tegamitopic,
            correlation_id: MessageId::told("correlation", body.correlationid)?,
            causation_id: MessageId::told("causation", body.causationid)?,
            key: body.subject,
            attributes: sealed.attributes.clone(),
        };
        Ok(Message::new(head, payload))
    }
}

/// The message's JSON; serde keeps the members in this order.
#[derive(Serialize, Deserialize)]
struct Body<'a> {
    specversion: Cow<'static, str>,
    id: String,
    source: String,
    #[serde(rename = "type")]
    event: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datacontenttype: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tegamitopic: Option<Cow<'static, str>>,
    #[serde(borrow, default, deserialize_with = "even_null", skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

impl Body<'_> {
    /// What serde does not see: the version, and members that are there but empty.
    fn check(&self) -> Result<(), DecodeError> {
        if self.specversion != SPEC_VERSION {
            let text = format!("CloudEvents version `{}` is not `{SPEC_VERSION}`", shown(&self.specversion));
            return Err(DecodeError::new(DecodeErrorKind::VersionMismatch, text));
        }
        let required = [("id", self.id.as_str()), ("source", &self.source), ("type", &self.event)];
        match required.into_iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => Err(undecodable(format!("`{name}` is empty"))),
            None => Ok(()),
        }
    }
}

/// `null` is a payload too: only a missing member is none.
fn even_null<'de, D: Deserializer<'de>>(member: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(member).map(Some)
}

fn encoding_of(content_type: &str) -> Result<Encoding, DecodeError> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.split_once('/') {
        Some((_, format)) if format == "json" || format.ends_with("+json") => Ok(Encoding::Json),
        Some(("application", "protobuf" | "x-protobuf")) => Ok(Encoding::Protobuf),
        _ => Err(undecodable(format!("unknown content type `{}`", shown(content_type)))),
    }
}

fn needs(what: &str) -> EncodeError {
    EncodeError::new(EncodeErrorKind::Unencodable, format!("a CloudEvents message needs {what}"))
}

fn no_form(error: serde_json::Error) -> EncodeError {
    EncodeError::new(EncodeErrorKind::Unencodable, "the message has no JSON form").caused_by(error)
}
