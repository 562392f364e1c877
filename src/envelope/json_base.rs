//! tomodachi's `JsonBase`, byte for byte. What tomodachi does not know travels in a member it ignores.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    DecodeError, EncodeError, EncodeErrorKind, Envelope, Head, Message, MessageId, Payload, Sealed, Source,
    bounds::{Bounds, compress, to_base64, undecodable},
    moment,
    protocol::Protocol,
    strict,
};
use crate::{codec::json, event::Encoding};

/// Payloads of this many bytes or more are compressed.
const COMPRESSED_FROM: usize = 60_000;

const PROTOCOL: Protocol = Protocol { current: "tomodachi-json-base--1.0.0", older: Some("json_base-wip") };

/// The JSON envelope that tomodachi services speak.
///
/// # Examples
/// ```
/// use tegami::{codec::Payload, envelope::{Envelope, Head, JsonBase, Message}, event::Encoding};
///
/// let payload = Payload { encoding: Encoding::Json, bytes: "{}".into() };
/// let sealed = JsonBase::default().seal(Message::new(Head::new().topic("orders"), payload.clone()))?;
/// assert_eq!(JsonBase::default().open(&sealed)?.content, payload);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct JsonBase {
    bounds: Bounds,
}

impl JsonBase {
    /// The most bytes a payload may have once decompressed; 8 MiB unless set.
    #[must_use]
    pub fn decompressed_limit(self, bytes: usize) -> Self {
        Self { bounds: Bounds::of(bytes) }
    }

    fn unpack(&self, data: &RawValue, encoding: &str) -> Result<Vec<u8>, DecodeError> {
        match encoding {
            "raw" => {
                self.bounds.check(data.get().len())?;
                Ok(data.get().into())
            }
            "base64_gzip_json" => {
                let text: Cow<'_, str> = serde_json::from_str(data.get())
                    .map_err(|error| undecodable("compressed `data` is not a string").caused_by(error))?;
                let bytes = self.bounds.decompress(&self.bounds.from_base64(text.as_bytes())?)?;
                strict::check(&bytes, "JSON in `data`")?;
                Ok(bytes)
            }
            other => Err(undecodable(format!("unknown data encoding `{}`", other.escape_debug()))),
        }
    }
}

impl Envelope for JsonBase {
    fn encoding(&self) -> Encoding {
        Encoding::Json
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        let Message { head, content } = message;
        let (data, data_encoding) = pack(&content)?;
        let body = Body {
            service: Service { name: head.source.service, uuid: head.source.instance },
            metadata: Metadata {
                message_uuid: head.id.map(|id| id.to_string()),
                protocol_version: Some(PROTOCOL.current.into()),
                compatible_protocol_versions: ["json_base-wip"],
                timestamp: head.time.map(moment::to_seconds),
                topic: Some(head.topic.unwrap_or_default()),
                data_encoding: data_encoding.into(),
            },
            data: &data,
            tegami: Extras {
                event: head.event,
                correlation_id: head.correlation_id.map(|id| id.to_string()),
                causation_id: head.causation_id.map(|id| id.to_string()),
                key: head.key,
            },
        };
        let body =
            json::to_vec(&body).map_err(|error| unencodable("the envelope has no JSON form").caused_by(error))?;
        Ok(Sealed { body: body.into(), attributes: head.attributes })
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        let Body { service, metadata, data, tegami } = strict::read(&sealed.body, "a JSON envelope")?;
        PROTOCOL.check(metadata.protocol_version.as_deref())?;
        let bytes = self.unpack(data, &metadata.data_encoding)?.into();
        let head = Head {
            id: MessageId::told("message", metadata.message_uuid)?,
            event: tegami.event,
            time: metadata.timestamp.map(moment::from_seconds).transpose()?,
            source: Source { service: service.name, instance: service.uuid },
            topic: metadata.topic.filter(|topic| !topic.is_empty()),
            correlation_id: MessageId::told("correlation", tegami.correlation_id)?,
            causation_id: MessageId::told("causation", tegami.causation_id)?,
            key: tegami.key,
            attributes: sealed.attributes.clone(),
        };
        Ok(Message::new(head, Payload { encoding: Encoding::Json, bytes }))
    }
}

/// The envelope's JSON; serde keeps the members in this order.
#[derive(Serialize, Deserialize)]
struct Body<'a> {
    #[serde(default, deserialize_with = "strict::object")]
    service: Service,
    #[serde(deserialize_with = "strict::object")]
    metadata: Metadata,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default, deserialize_with = "strict::object", skip_serializing_if = "Extras::is_empty")]
    tegami: Extras,
}

#[derive(Default, Serialize, Deserialize)]
struct Service {
    name: Option<Cow<'static, str>>,
    uuid: Option<Cow<'static, str>>,
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    message_uuid: Option<String>,
    protocol_version: Option<Cow<'static, str>>,
    #[serde(skip_deserializing)]
    compatible_protocol_versions: [&'static str; 1],
    timestamp: Option<f64>,
    topic: Option<Cow<'static, str>>,
    data_encoding: Cow<'static, str>,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Extras {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Extras {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn pack(payload: &Payload) -> Result<(Box<RawValue>, &'static str), EncodeError> {
    let Encoding::Json = payload.encoding else {
        return Err(unencodable("a protobuf payload cannot travel in a JSON envelope"));
    };
    if payload.bytes.len() >= COMPRESSED_FROM {
        let text = to_base64(&compress(&payload.bytes));
        let data = serde_json::value::to_raw_value(&text);
        return Ok((data.map_err(not_json)?, "base64_gzip_json"));
    }
    Ok((serde_json::from_slice(&payload.bytes).map_err(not_json)?, "raw"))
}

fn not_json(error: serde_json::Error) -> EncodeError {
    unencodable("the payload is not JSON").caused_by(error)
}

fn unencodable(text: &str) -> EncodeError {
    EncodeError::new(EncodeErrorKind::Unencodable, text)
}
