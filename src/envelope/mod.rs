//! One message as it travels: head, attributes, payload, and the format that makes them one body.
//!
//! An [`Envelope`] turns a message into the bytes a transport carries and back. It never looks into the
//! payload; that is `codec`'s. The publisher seals, the pipeline opens.

mod bounds;
mod cloud_events;
mod head;
mod id;
mod json_base;
mod moment;
mod protobuf_base;
mod protocol;
mod raw;
mod source_uri;
mod strict;

pub use cloud_events::CloudEvents;
pub use head::{Head, Source};
pub use id::MessageId;
pub use json_base::JsonBase;
pub use protobuf_base::ProtobufBase;
pub use raw::Raw;

use std::fmt;

use bytes::Bytes;

pub use crate::codec::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Payload};
use crate::{
    codec,
    event::{Attributes, Encoding, Event},
};

/// A typed event on its way (`Message<OrderPaid>`), or its bytes (`Message<Payload>`).
#[derive(Debug, Clone, PartialEq)]
pub struct Message<T> {
    /// Everything the message says beside its content.
    pub head: Head,
    /// The event, or its payload.
    pub content: T,
}

impl<T> Message<T> {
    /// A message of this content.
    pub fn new(head: Head, content: T) -> Self {
        Self { head, content }
    }
}

/// What a transport carries: a body, and attributes beside it. Its `Debug` tells how long the body is, and none of it.
#[derive(Clone, Default, PartialEq)]
pub struct Sealed {
    /// The message, as the envelope wrote it.
    pub body: Bytes,
    /// What brokers may look at.
    pub attributes: Attributes,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("bytes", &self.body.len())
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

/// The media type of bytes that nobody can name (RFC 2046, 4.5.1).
pub(crate) const OCTETS: &str = "application/octet-stream";

/// Shared envelopes are envelopes.
impl Envelope for std::sync::Arc<dyn Envelope> {
    fn encoding(&self) -> Encoding {
        (**self).encoding()
    }

    fn content_type(&self) -> &'static str {
        (**self).content_type()
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        (**self).seal(message)
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        (**self).open(sealed)
    }
}

/// A format for whole messages.
///
/// Implementations MUST
/// - return from `open` what `seal` was given, for every field of [`Head`], times as exactly as the format can;
/// - answer bad input with a [`DecodeError`], in bounded time and memory, and never with an empty payload;
/// - leave the attributes they do not own as they are.
///
/// The well-known mistake: decompressing or decoding base64 without a limit on the output.
///
/// # Examples
/// An envelope of one's own, made of another: each body begins with a mark.
/// ```
/// use tegami::{
///     codec::Payload,
///     envelope::{DecodeError, DecodeErrorKind, EncodeError, Envelope, Head, Message, Raw, Sealed},
///     event::Encoding,
/// };
///
/// struct Marked(Raw);
///
/// impl Envelope for Marked {
///     fn encoding(&self) -> Encoding {
///         self.0.encoding()
///     }
///
///     fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
///         let Sealed { body, attributes } = self.0.seal(message)?;
///         Ok(Sealed { body: [b"acme:".as_slice(), &body].concat().into(), attributes })
///     }
///
///     fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
///         let Some(body) = sealed.body.strip_prefix(b"acme:") else {
///             return Err(DecodeError::new(DecodeErrorKind::Undecodable, "the mark is missing"));
///         };
///         self.0.open(&Sealed { body: sealed.body.slice_ref(body), attributes: sealed.attributes.clone() })
///     }
/// }
///
/// let marked = Marked(Raw::json());
/// let message = Message::new(
///     Head::new().service("billing").key("o-1"),
///     Payload { encoding: Encoding::Json, bytes: "{}".into() },
/// );
/// assert_eq!(marked.open(&marked.seal(message.clone())?)?, message);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait Envelope: Send + Sync + 'static {
    /// The payload encoding this envelope carries best.
    fn encoding(&self) -> Encoding;

    /// What its bodies are, as a media type (RFC 6838), for brokers' tools to show.
    fn content_type(&self) -> &'static str {
        OCTETS
    }

    /// Puts the message into one body.
    ///
    /// # Errors
    /// The payload cannot travel in this envelope.
    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError>;

    /// Takes the message out of a body.
    ///
    /// # Errors
    /// The body is not this envelope, is too large once decompressed, or is of a version we cannot read.
    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError>;

    /// Seals a typed message.
    ///
    /// # Errors
    /// As [`seal`](Self::seal), and when the event breaks its contract.
    fn encode<E: Event>(&self, message: &Message<E>) -> Result<Sealed, EncodeError>
    where
        Self: Sized,
    {
        let payload = codec::encode(&message.content, self.encoding())?;
        self.seal(Message::new(message.head.clone(), payload))
    }

    /// Opens a body and decodes its event.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the payload is not a valid `E`.
    fn decode<E: Event>(&self, sealed: &Sealed) -> Result<Message<E>, DecodeError>
    where
        Self: Sized,
    {
        let message = self.open(sealed)?;
        let event = codec::decode(&message.content)?;
        Ok(Message::new(message.head, event))
    }
}
