//! Payload bytes ⇄ typed event: the only place where either becomes the other.
//!
//! [`encode`] and [`decode`] are what the rest of tegami calls; the two kinds of contract are [`Protobuf`] and
//! [`JsonSchema`]. How JSON text looks is in [`json`].

pub mod json;
pub mod json_schema;
mod nesting;
mod parted;
pub mod personal;
mod told;
mod upcasts;

#[doc(hidden)]
pub use parted::Hands;
#[cfg(feature = "store")]
pub(crate) use parted::Parted;
pub(crate) use personal::Persons;
pub(crate) use told::{Sample, Told, recode, resolve};
#[cfg(feature = "store")]
pub(crate) use upcasts::Lifted;
pub(crate) use upcasts::{Upcasts, Values};

use std::fmt;

use bytes::Bytes;

use crate::{
    contract::Contract,
    error::{BoxError, Failure, Kind},
    event::{Encoding, Event, Format, Invalid},
};

/// An event's bytes, and what they are. Its `Debug` tells how many there are, and none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// What the bytes are.
    pub encoding: Encoding,
    /// The bytes.
    pub bytes: Bytes,
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes of {})", self.bytes.len(), self.encoding.name())
    }
}

/// Events whose contract is a protobuf message: binary, and canonical proto3 JSON.
#[derive(Debug)]
pub struct Protobuf;

impl<E> Format<E> for Protobuf
where
    E: prost::Message + Default + serde::Serialize + serde::de::DeserializeOwned,
{
    const ENCODINGS: &'static [Encoding] = &[Encoding::Protobuf, Encoding::Json];

    fn encode(event: &E, encoding: Encoding) -> Result<Vec<u8>, BoxError> {
        match encoding {
            Encoding::Protobuf => {
                let bytes = event.encode_to_vec();
                nesting::check::<E>(&bytes)?;
                Ok(bytes)
            }
            Encoding::Json => Ok(json::to_vec(event)?),
        }
    }

    fn decode(payload: &[u8], encoding: Encoding) -> Result<E, BoxError> {
        match encoding {
            Encoding::Protobuf => Ok(E::decode(payload)?),
            Encoding::Json => Ok(json::from_slice(payload)?),
        }
    }
}

/// Events whose contract is a JSON Schema: JSON only.
#[derive(Debug)]
pub struct JsonSchema;

impl<E: serde::Serialize + serde::de::DeserializeOwned> Format<E> for JsonSchema {
    const ENCODINGS: &'static [Encoding] = &[Encoding::Json];

    fn encode(event: &E, encoding: Encoding) -> Result<Vec<u8>, BoxError> {
        match encoding {
            Encoding::Json => Ok(json::to_vec(event)?),
            Encoding::Protobuf => Err("a JSON Schema contract has no protobuf form".into()),
        }
    }

    fn decode(payload: &[u8], encoding: Encoding) -> Result<E, BoxError> {
        match encoding {
            Encoding::Json => {
                let json_schema::Read(event) = json::from_slice::<json_schema::Read<json_schema::Object<E>>>(payload)?;
                Ok(event)
            }
            Encoding::Protobuf => Err("a JSON Schema contract has no protobuf form".into()),
        }
    }
}

/// Turns a valid event into payload bytes, in the preferred encoding if its contract has it.
///
/// # Errors
/// The event breaks its contract's rules, or a value has no form in the encoding; one that is nested deeper than
/// readers go (P7) has none.
pub fn encode<E: Event>(event: &E, preferred: Encoding) -> Result<Payload, EncodeError> {
    event
        .validate()
        .map_err(|invalid| EncodeError::new(EncodeErrorKind::Invalid, invalid_text(E::CONTRACT, &invalid)))?;
    let encoding = self::preferred::<E>(preferred);
    let bytes = <E::Format as Format<E>>::encode(event, encoding)
        .map_err(|error| {
            EncodeError::new(
                EncodeErrorKind::Unencodable,
                format!("event `{}` has no {encoding:?} form", E::CONTRACT.name),
            )
            .caused_by(error)
        })?
        .into();
    Ok(Payload { encoding, bytes })
}

/// The encoding, if the event's contract has it, else the one that it is written in.
fn preferred<E: Event>(encoding: Encoding) -> Encoding {
    let encodings = <E::Format as Format<E>>::ENCODINGS;
    if encodings.contains(&encoding) { encoding } else { encodings[0] }
}

/// Turns payload bytes into a valid event.
///
/// # Errors
/// The bytes are not the event (`Undecodable`), or it breaks its contract's rules (`Invalid`).
pub fn decode<E: Event>(payload: &Payload) -> Result<E, DecodeError> {
    let event: E = read(payload)?;
    event
        .validate()
        .map_err(|invalid| DecodeError::new(DecodeErrorKind::Invalid, invalid_text(E::CONTRACT, &invalid)))?;
    Ok(event)
}

/// Turns payload bytes into an event whose values nobody has looked at.
pub(crate) fn read<E: Event>(payload: &Payload) -> Result<E, DecodeError> {
    <E::Format as Format<E>>::decode(&payload.bytes, payload.encoding).map_err(|error| {
        DecodeError::new(DecodeErrorKind::Undecodable, format!("the payload is not a `{}`", E::CONTRACT.name))
            .caused_by(error)
    })
}

fn invalid_text(contract: &Contract, invalid: &Invalid) -> String {
    format!("event `{}` breaks its contract: {invalid}", contract.name)
}

/// Why an event could not become bytes.
pub type EncodeError = Failure<EncodeErrorKind>;

/// The causes of an [`EncodeError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// The event breaks its contract's rules.
    Invalid,
    /// A value has no form in the encoding, or is nested deeper than readers go.
    Unencodable,
    /// Larger than readers take once it is decompressed.
    TooLarge,
}

impl Kind for EncodeErrorKind {
    fn is_transient(self) -> bool {
        false
    }
}

/// Why bytes could not become an event.
pub type DecodeError = Failure<DecodeErrorKind>;

/// The causes of a [`DecodeError`]; each is the reason of a dead letter (X2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Not the envelope, or not the event.
    Undecodable,
    /// The envelope names an event that nobody here handles, or none where one is needed.
    UnknownEvent,
    /// The envelope is of a version that this build cannot read.
    VersionMismatch,
    /// The event breaks its contract's rules.
    Invalid,
    /// Larger than the limit, as received or once decompressed.
    TooLarge,
}

impl Kind for DecodeErrorKind {
    fn is_transient(self) -> bool {
        false
    }
}
