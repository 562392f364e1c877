//! One message as it travels: head, attributes, payload, and the format that makes them one body.
//!
//! An [`Envelope`] turns a message into the bytes a transport carries and back. It never looks into the
//! payload; that is `codec`'s. The publisher seals, the pipeline opens.

mod id;

pub use id::MessageId;

use std::{borrow::Cow, time::SystemTime};

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

/// What a message says beside its event.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Head {
    /// The message; absent only where a foreign publisher gave none.
    pub id: Option<MessageId>,
    /// The event's name; absent where a foreign publisher gave none.
    pub event: Option<Cow<'static, str>>,
    /// When the message was made.
    pub time: Option<SystemTime>,
    /// The service that made it.
    pub source: Source,
    /// The topic it was published to, without the environment's prefix.
    pub topic: Option<Cow<'static, str>>,
    /// The conversation: the id of the message that began it.
    pub correlation_id: Option<MessageId>,
    /// The message whose handling caused this one.
    pub causation_id: Option<MessageId>,
    /// What must stay in order together.
    pub key: Option<String>,
    /// What travels beside the payload.
    pub attributes: Attributes,
}

/// Who made a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The service's name.
    pub service: Option<Cow<'static, str>>,
    /// The running instance, a UUID.
    pub instance: Option<Cow<'static, str>>,
}

impl Source {
    /// A running instance of a service.
    pub fn of(service: impl Into<Cow<'static, str>>, instance: impl Into<Cow<'static, str>>) -> Self {
        Self { service: Some(service.into()), instance: Some(instance.into()) }
    }
}

/// What a transport carries: a body, and attributes beside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sealed {
    /// The message, as the envelope wrote it.
    pub body: Bytes,
    /// What brokers may look at.
    pub attributes: Attributes,
}

/// Shared envelopes are envelopes.
impl Envelope for std::sync::Arc<dyn Envelope> {
    fn encoding(&self) -> Encoding {
        (**self).encoding()
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
/// - return from `open` what `seal` was given, for every field of [`Head`];
/// - answer bad input with a [`DecodeError`], in bounded time and memory, and never with an empty payload;
/// - leave the attributes they do not own as they are.
///
/// The well-known mistake: decompressing or decoding base64 without a limit on the output.
pub trait Envelope: Send + Sync + 'static {
    /// The payload encoding this envelope carries best.
    fn encoding(&self) -> Encoding;

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
