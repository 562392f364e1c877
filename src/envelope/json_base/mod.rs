//! tomodachi's `JsonBase`, byte for byte. What tomodachi does not know travels in a member it ignores.

mod body;

use std::borrow::Cow;

use serde_json::value::RawValue;

use self::body::Body;
use super::{
    DecodeError, EncodeError, EncodeErrorKind, Envelope, Message, Payload, Sealed,
    bounds::{Bounds, compress, shown, to_base64, undecodable},
    strict,
};
use crate::{codec::json, event::Encoding};

/// Payloads of this many bytes or more are compressed.
const COMPRESSED_FROM: usize = 60_000;

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
                let text: Cow<'_, str> = json::from_slice(data.get().as_bytes())
                    .map_err(|error| undecodable("compressed `data` is not a string").caused_by(error))?;
                let bytes = self.bounds.decompress(&self.bounds.decode_base64(text.as_bytes())?)?;
                strict::check(&bytes, "JSON in `data`")?;
                Ok(bytes)
            }
            other => Err(undecodable(format!("unknown data encoding `{}`", shown(other)))),
        }
    }
}

impl Envelope for JsonBase {
    fn encoding(&self) -> Encoding {
        Encoding::Json
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        let Message { mut head, content } = message;
        let attributes = std::mem::take(&mut head.attributes);
        let (data, data_encoding) = pack(&content)?;
        let body = Body::of(head, &data, data_encoding);
        let body =
            json::to_vec(&body).map_err(|error| unencodable("the envelope has no JSON form").caused_by(error))?;
        Ok(Sealed { body: body.into(), attributes })
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        let body: Body<'_> = strict::read(&sealed.body, "a JSON envelope")?;
        body.check_version()?;
        let bytes = self.unpack(body.data, &body.metadata.data_encoding)?.into();
        let head = body.into_head(sealed.attributes.clone())?;
        Ok(Message::new(head, Payload { encoding: Encoding::Json, bytes }))
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
