//! tomodachi's `ProtobufBase`, byte for byte. What tomodachi does not know travels in a field it skips.

mod message;

use bytes::Bytes;
use prost::Message as _;

use self::message::{Packed, SnsSqsMessage};
use super::{
    DecodeError, EncodeError, Envelope, Message, Payload, Sealed,
    bounds::{Bounds, compress, shown, to_base64, undecodable},
};
use crate::event::Encoding;

/// Payloads of more bytes than this are compressed.
const UNCOMPRESSED_TO: usize = 60_000;

/// What names, ids and a key may add to a payload.
const HEAD_ROOM: usize = 64 * 1024;

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
    /// The most bytes a payload may have once decompressed; 8 MiB unless set. More is not sealed, either.
    #[must_use]
    pub fn decompressed_limit(self, bytes: usize) -> Self {
        Self { bounds: Bounds::of(bytes) }
    }

    fn unpack(&self, data: Bytes, encoding: &str) -> Result<Bytes, DecodeError> {
        let bytes = match encoding {
            "proto" | "raw" => data,
            "gzip_proto" => self.bounds.decompress(&data)?.into(),
            // What tomodachi wrote before its bytes field held bytes.
            "base64" => self.bounds.decode_base64(data)?.into(),
            "base64_gzip_proto" => self.bounds.decompress(&self.bounds.decode_base64(data)?)?.into(),
            other => return Err(undecodable(format!("unknown data encoding `{}`", shown(other)))),
        };
        self.bounds.check(bytes.len())?;
        Ok(bytes)
    }
}

impl Envelope for ProtobufBase {
    fn encoding(&self) -> Encoding {
        Encoding::Protobuf
    }

    /// The body is base64: text, as SNS and SQS ask for.
    fn content_type(&self) -> &'static str {
        "text/plain"
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        let Message { mut head, content } = message;
        let attributes = std::mem::take(&mut head.attributes);
        let encoding = content.encoding;
        self.bounds.admit("the payload", content.bytes.len())?;
        let body = SnsSqsMessage::of(head, encoding, pack(content)).encode_to_vec();
        self.bounds.with_room(HEAD_ROOM).admit("the payload with its head", body.len())?;
        Ok(Sealed { body: to_base64(&body).into(), attributes })
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        let body = self.bounds.with_room(HEAD_ROOM).decode_base64(&sealed.body)?;
        let body = SnsSqsMessage::decode(Bytes::from(body))
            .map_err(|error| undecodable("not a protobuf envelope").caused_by(error))?;
        let (head, encoding, packed) = body.into_parts(sealed.attributes.clone())?;
        let bytes = self.unpack(packed.data, &packed.data_encoding)?;
        Ok(Message::new(head, Payload { encoding, bytes }))
    }
}

fn pack(payload: Payload) -> Packed {
    let (data, data_encoding) = match payload.encoding {
        Encoding::Json => (payload.bytes, "raw"),
        Encoding::Protobuf if payload.bytes.len() > UNCOMPRESSED_TO => (compress(&payload.bytes).into(), "gzip_proto"),
        Encoding::Protobuf => (payload.bytes, "proto"),
    };
    Packed { data, data_encoding: data_encoding.into() }
}
