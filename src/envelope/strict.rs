//! Structs are read from strict JSON text, and from objects only: what serde derives also takes a list of the members'
//! values.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{DecodeError, bounds::undecodable};
use crate::codec::json;

/// Reads an object from strict JSON text.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a [u8], what: &str) -> Result<T, DecodeError> {
    let not_one = || undecodable(format!("not {what}"));
    json::strict::check(text).map_err(|fault| not_one().caused_by(fault))?;
    let Object(value) = json::from_slice(text).map_err(|error| not_one().caused_by(error))?;
    Ok(value)
}

/// Reads a struct from an object only; what serde derives also takes a list of the members' values.
pub(super) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object))
    }
}
