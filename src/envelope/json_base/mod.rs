//! tomodachi's `JsonBase`, byte for byte. What tomodachi does not know travels in a member it ignores.

mod body;

use std::borrow::Cow;

use bytes::Bytes;

use self::body::Body;
use super::{
    DecodeError, EncodeError, EncodeErrorKind, Envelope, Message, Payload, Sealed,
    bounds::{Bounds, compress, shown, to_base64, undecodable},
};
use crate::{
    codec::json::{self, depth, strict},
    event::Encoding,
};

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
    /// The most bytes a payload may have once decompressed; 8 MiB unless set. More is not sealed, either.
    #[must_use]
    pub fn decompressed_limit(self, bytes: usize) -> Self {
        Self { bounds: Bounds::of(bytes) }
    }

    fn unpack(&self, body: &Body<'_>, sealed: &Sealed) -> Result<Bytes, DecodeError> {
        match &*body.data_encoding {
            "raw" => {
                self.bounds.check(body.data.len())?;
                Ok(sealed.body.slice_ref(body.data.as_bytes()))
            }
            "base64_gzip_json" => {
                let text: Cow<'_, str> = json::from_slice(body.data.as_bytes())
                    .map_err(|error| undecodable("compressed `data` is not a string").caused_by(error))?;
                let bytes = self.bounds.decompress(&self.bounds.decode_base64(text.as_bytes())?)?;
                strict::check(&bytes).map_err(|fault| undecodable("not JSON in `data`").caused_by(fault))?;
                Ok(bytes.into())
            }
            other => Err(undecodable(format!("unknown data encoding `{}`", shown(other)))),
        }
    }
}

impl Envelope for JsonBase {
    fn encoding(&self) -> Encoding {
        Encoding::Json
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        let Message { mut head, content } = message;
        let attributes = std::mem::take(&mut head.attributes);
        self.bounds.admit("the payload", content.bytes.len())?;
        let (data, data_encoding) = pack(&content)?;
        let body = body::write(&head, &data, data_encoding);
        Ok(Sealed { body: body.into(), attributes })
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        let read = Body::read(&sealed.body);
        let body = read.map_err(|fault| undecodable("not a JSON envelope").caused_by(fault))?;
        body.check_version()?;
        let bytes = self.unpack(&body, sealed)?;
        let head = body.into_head(sealed.attributes.clone())?;
        Ok(Message::new(head, Payload { encoding: Encoding::Json, bytes }))
    }
}

/// The payload as it stands in the envelope, and how that is called. What would not be unpacked is not packed (P7).
fn pack(payload: &Payload) -> Result<(Cow<'_, str>, &'static str), EncodeError> {
    let Encoding::Json = payload.encoding else {
        return Err(unencodable("a protobuf payload cannot travel in a JSON envelope"));
    };
    let text =
        strict::check(&payload.bytes).map_err(|fault| unencodable("the payload is not JSON").caused_by(fault))?;
    if text.len() >= COMPRESSED_FROM {
        let text = to_base64(&compress(text.as_bytes()));
        return Ok((Cow::Owned(format!("\"{text}\"")), "base64_gzip_json"));
    }
    // As it is, it stands a level deeper.
    depth::check(text.as_bytes(), 1).map_err(|too_deep| {
        unencodable(format!(
            "inside the envelope the payload is {too_deep}: flatten it, or have its inner part as text"
        ))
    })?;
    Ok((Cow::Borrowed(text), "raw"))
}

fn unencodable(text: impl Into<String>) -> EncodeError {
    EncodeError::new(EncodeErrorKind::Unencodable, text)
}
