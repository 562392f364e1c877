//! What is personal in an event: taken out of its bytes, put back, and hidden where they are shown.
//!
//! The first functions are called by generated code, at each personal field.

use serde_json::Value;

use super::{
    DecodeError, DecodeErrorKind, Payload,
    json::{self, Codec},
    json_schema::{self, Form},
    recode,
};
use crate::{
    error::BoxError,
    event::{Deed, Encoding, Event, Format, Hidden, Leaf, Walk},
};

/// A field of a protobuf message that is always there.
///
/// # Errors
/// What is done there cannot be.
pub fn codec<C: Codec>(walk: &mut Walk, name: &str, value: &mut C::Value) -> Result<(), BoxError> {
    walk.leaf(name, value, Leaf { write: write_codec::<C>, read: read_codec::<C>, is_blank: C::is_default })
}

/// A field of a protobuf message that may be absent.
///
/// # Errors
/// As [`codec`].
pub fn codec_some<C: Codec>(walk: &mut Walk, name: &str, value: &mut Option<C::Value>) -> Result<(), BoxError> {
    let write = |value: &Option<C::Value>| value.as_ref().map_or_else(null, write_codec::<C>);
    let read = |json: &[u8]| read_codec::<C>(json).map(Some);
    walk.leaf(name, value, Leaf { write, read, is_blank: Option::is_none })
}

/// A required property of a JSON Schema object.
///
/// # Errors
/// As [`codec`].
pub fn form<F: Form>(walk: &mut Walk, name: &str, value: &mut F::Value) -> Result<(), BoxError>
where
    F::Value: Default + PartialEq,
{
    let is_blank = |value: &F::Value| *value == F::Value::default();
    walk.leaf(name, value, Leaf { write: write_form::<F>, read: read_form::<F>, is_blank })
}

/// A property of a JSON Schema object that may be absent or null.
///
/// # Errors
/// As [`codec`].
pub fn form_some<F: Form>(walk: &mut Walk, name: &str, value: &mut Option<F::Value>) -> Result<(), BoxError> {
    let write = |value: &Option<F::Value>| value.as_ref().map_or_else(null, write_form::<F>);
    let read = |json: &[u8]| read_form::<F>(json).map(Some);
    walk.leaf(name, value, Leaf { write, read, is_blank: Option::is_none })
}

fn null() -> Result<Vec<u8>, BoxError> {
    Ok(b"null".to_vec())
}

fn write_codec<C: Codec>(value: &C::Value) -> Result<Vec<u8>, BoxError> {
    Ok(json::to_vec(&json::Written::<C>(value))?)
}

fn read_codec<C: Codec>(json: &[u8]) -> Result<C::Value, BoxError> {
    Ok(json::from_slice::<json::Read<C>>(json)?.0)
}

fn write_form<F: Form>(value: &F::Value) -> Result<Vec<u8>, BoxError> {
    Ok(json::to_vec(&json_schema::Written::<F>(value))?)
}

fn read_form<F: Form>(json: &[u8]) -> Result<F::Value, BoxError> {
    Ok(json::from_slice::<json_schema::Read<F>>(json)?.0)
}

/// Whether what is personal is told to those who look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persons {
    Hidden,
    Revealed,
}

/// The event as it may be shown: its canonical JSON, with a word in place of each personal value.
pub(crate) fn shown<E: Event>(payload: &Payload, persons: Persons) -> Result<Payload, DecodeError> {
    if E::PERSONAL.is_none() || persons == Persons::Revealed {
        return recode::<E>(payload, Encoding::Json);
    }
    let mut event: E = super::decode(payload)?;
    let found = match walked(&mut event, Deed::Find(Vec::new()))? {
        Deed::Find(found) => found,
        Deed::Take(_) | Deed::Put(_) => Vec::new(),
    };
    let mut json = value(&written(&event, Encoding::Json)?)?;
    for place in found {
        if let Some(value) = json.pointer_mut(&place) {
            *value = Hidden::TEXT.into();
        }
    }
    Ok(Payload { encoding: Encoding::Json, bytes: json.to_string().into() })
}

pub(super) fn walked<E: Event>(event: &mut E, deed: Deed) -> Result<Deed, DecodeError> {
    let mut walk = Walk::to(deed);
    event.walk_personal(&mut walk).map_err(strayed::<E>)?;
    Ok(walk.end())
}

/// The event's bytes, whatever its values.
pub(super) fn written<E: Event>(event: &E, encoding: Encoding) -> Result<Payload, DecodeError> {
    let bytes = <E::Format as Format<E>>::encode(event, encoding).map_err(strayed::<E>)?;
    Ok(Payload { encoding, bytes: bytes.into() })
}

pub(super) fn value(payload: &Payload) -> Result<Value, DecodeError> {
    serde_json::from_slice(&payload.bytes)
        .map_err(|_| DecodeError::new(DecodeErrorKind::Undecodable, "it has no JSON form"))
}

pub(super) fn strayed<E: Event>(error: BoxError) -> DecodeError {
    let text = format!("the personal fields of `{}` cannot be told from the others", E::CONTRACT.name);
    DecodeError::new(DecodeErrorKind::Undecodable, text).caused_by(error)
}
