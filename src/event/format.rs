//! How an event becomes bytes, told by the kind of contract it has. The formats themselves are in `codec`.

use crate::error::BoxError;

/// What the payload's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// JSON text: the canonical proto3 mapping for protobuf events.
    Json,
    /// Protobuf's binary form.
    Protobuf,
}

impl Encoding {
    /// Its name, in lower case.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Protobuf => "protobuf",
        }
    }

    /// The encoding of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Json, Self::Protobuf].into_iter().find(|known| known.name() == name)
    }

    /// Its media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/protobuf",
        }
    }
}

/// Encodes and decodes the events of one kind of contract.
pub trait Format<E> {
    /// Encodings this kind of contract has.
    const ENCODINGS: &'static [Encoding];

    /// Turns the event into payload bytes.
    ///
    /// # Errors
    /// The encoding is not one of [`ENCODINGS`](Self::ENCODINGS), or a value has no form in it.
    fn encode(event: &E, encoding: Encoding) -> Result<Vec<u8>, BoxError>;

    /// Turns payload bytes into the event.
    ///
    /// # Errors
    /// The bytes are not the event in that encoding.
    fn decode(payload: &[u8], encoding: Encoding) -> Result<E, BoxError>;
}
