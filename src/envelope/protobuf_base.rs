//! tomodachi's `ProtobufBase`, byte for byte. What tomodachi does not know travels in a field it skips.

use bytes::Bytes;
use prost::Message as _;

use super::{
    DecodeError, EncodeError, Envelope, Head, Message, MessageId, Payload, Sealed, Source,
    bounds::{Bounds, compress, to_base64, undecodable},
    moment,
    protocol::Protocol,
};
use crate::event::Encoding;

/// Payloads of more bytes than this are compressed.
const UNCOMPRESSED_TO: usize = 60_000;

/// What names, ids and a key may add to a payload.
const HEAD_ROOM: usize = 64 * 1024;

// `protobuf_base-wip` had other fields and cannot be read.
const PROTOCOL: Protocol = Protocol { current: "tomodachi-protobuf-base--1.0.0", older: None };

/// The protobuf envelope that tomodachi services speak.
///
/// Events of JSON Schema contracts travel in it as JSON text.
///
/// # Examples
/// ```
/// use tegami::{codec::Payload, envelope::{Envelope, Head, Message, ProtobufBase}, event::Encoding};
///
/// let payload = Payload { encoding: Encoding::Protobuf, bytes: b"\x0a\x05hello"[..].into() };
/// let sealed = ProtobufBase::default().seal(Message::new(Head::new().topic("orders"), payload.clone()))?;
/// assert_eq!(ProtobufBase::default().open(&sealed)?.content, payload);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ProtobufBase {
    bounds: Bounds,
}

impl ProtobufBase {
    /// The most bytes a payload may have once decompressed; 8 MiB unless set.
    #[must_use]
    pub fn decompressed_limit(self, bytes: usize) -> Self {
        Self { bounds: Bounds::of(bytes) }
    }

    fn unpack(&self, data: Bytes, encoding: &str) -> Result<Bytes, DecodeError> {
        let bytes = match encoding {
            "proto" | "raw" => data,
            "gzip_proto" => self.bounds.decompress(&data)?.into(),
            // What tomodachi wrote before its bytes field held bytes.
            "base64" => self.bounds.from_base64(data)?.into(),
            "base64_gzip_proto" => self.bounds.decompress(&self.bounds.from_base64(data)?)?.into(),
            other => return Err(undecodable(format!("unknown data encoding `{}`", other.escape_debug()))),
        };
        self.bounds.check(bytes.len())?;
        Ok(bytes)
    }
}

impl Envelope for ProtobufBase {
    fn encoding(&self) -> Encoding {
        Encoding::Protobuf
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        let Message { head, content } = message;
        let encoding = (content.encoding == Encoding::Json).then(|| JSON.to_owned());
        let (data, data_encoding) = pack(content);
        let body = SnsSqsMessage {
            service: Some(Service {
                name: head.source.service.unwrap_or_default().into(),
                uuid: head.source.instance.unwrap_or_default().into(),
            }),
            metadata: Some(Metadata {
                message_uuid: head.id.map(|id| id.to_string()).unwrap_or_default(),
                protocol_version: PROTOCOL.current.into(),
                timestamp: head.time.map(moment::to_seconds).unwrap_or_default(),
                topic: head.topic.unwrap_or_default().into(),
                data_encoding: data_encoding.into(),
            }),
            data,
            tegami: Extras {
                event: head.event.map(Into::into),
                correlation_id: head.correlation_id.map(|id| id.to_string()),
                causation_id: head.causation_id.map(|id| id.to_string()),
                key: head.key,
                encoding,
            }
            .unless_empty(),
        };
        Ok(Sealed { body: to_base64(&body.encode_to_vec()).into(), attributes: head.attributes })
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        let body = self.bounds.with_room(HEAD_ROOM).from_base64(&sealed.body)?;
        let body = SnsSqsMessage::decode(Bytes::from(body))
            .map_err(|error| undecodable("not a protobuf envelope").caused_by(error))?;
        let service = body.service.unwrap_or_default();
        let metadata = body.metadata.unwrap_or_default();
        let tegami = body.tegami.unwrap_or_default();
        PROTOCOL.check(Some(&metadata.protocol_version))?;
        let encoding = tegami.payload_encoding(&metadata.data_encoding)?;
        let bytes = self.unpack(body.data, &metadata.data_encoding)?;
        let time = Some(metadata.timestamp).filter(|seconds| *seconds != 0.0);
        let head = Head {
            id: MessageId::told("message", Some(metadata.message_uuid))?,
            event: tegami.event.map(Into::into),
            time: time.map(moment::from_seconds).transpose()?,
            source: Source {
                service: told(service.name).map(Into::into),
                instance: told(service.uuid).map(Into::into),
            },
            topic: told(metadata.topic).map(Into::into),
            correlation_id: MessageId::told("correlation", tegami.correlation_id)?,
            causation_id: MessageId::told("causation", tegami.causation_id)?,
            key: tegami.key,
            attributes: sealed.attributes.clone(),
        };
        Ok(Message::new(head, Payload { encoding, bytes }))
    }
}

/// tomodachi's `proto.SNSSQSMessage`, and one field more.
#[derive(Clone, PartialEq, prost::Message)]
struct SnsSqsMessage {
    #[prost(message, optional, tag = "1")]
    service: Option<Service>,
    #[prost(message, optional, tag = "2")]
    metadata: Option<Metadata>,
    #[prost(bytes = "bytes", tag = "3")]
    data: Bytes,
    #[prost(message, optional, tag = "7364")]
    tegami: Option<Extras>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uuid: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Metadata {
    #[prost(string, tag = "1")]
    message_uuid: String,
    #[prost(string, tag = "2")]
    protocol_version: String,
    #[prost(double, tag = "3")]
    timestamp: f64,
    #[prost(string, tag = "4")]
    topic: String,
    #[prost(string, tag = "5")]
    data_encoding: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Extras {
    #[prost(string, optional, tag = "1")]
    event: Option<String>,
    #[prost(string, optional, tag = "2")]
    correlation_id: Option<String>,
    #[prost(string, optional, tag = "3")]
    causation_id: Option<String>,
    #[prost(string, optional, tag = "4")]
    key: Option<String>,
    /// What the payload is, where it is not protobuf.
    #[prost(string, optional, tag = "5")]
    encoding: Option<String>,
}

/// The mark of a payload that is JSON text.
const JSON: &str = "json";

impl Extras {
    fn unless_empty(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }

    fn payload_encoding(&self, data_encoding: &str) -> Result<Encoding, DecodeError> {
        match (self.encoding.as_deref(), data_encoding) {
            (None, _) => Ok(Encoding::Protobuf),
            (Some(JSON), "raw") => Ok(Encoding::Json),
            (Some(mark), _) => {
                let mark = mark.escape_debug();
                Err(undecodable(format!(
                    "payload encoding `{mark}` cannot travel as `{}`",
                    data_encoding.escape_debug()
                )))
            }
        }
    }
}

fn pack(payload: Payload) -> (Bytes, &'static str) {
    match payload.encoding {
        Encoding::Json => (payload.bytes, "raw"),
        Encoding::Protobuf if payload.bytes.len() > UNCOMPRESSED_TO => (compress(&payload.bytes).into(), "gzip_proto"),
        Encoding::Protobuf => (payload.bytes, "proto"),
    }
}

/// An empty string tells nothing: proto3 cannot say "absent".
fn told(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
