//! What a codec is: the JSON form of one protobuf type. The codecs themselves stand in the files beside.

use std::{fmt, marker::PhantomData};

use schemars::{Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// The JSON form of one protobuf type. Implementors are markers, never values.
pub trait Codec {
    /// The Rust type of the field, as prost has it.
    type Value: Default;

    /// Writes the value.
    ///
    /// # Errors
    /// The value has no JSON form, or the serializer's own.
    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a value.
    ///
    /// # Errors
    /// Not a JSON form of the type, or the deserializer's own.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error>;

    /// Is it the value of a field nobody set? Fields without presence are left out then.
    fn is_default(value: &Self::Value) -> bool;

    /// The JSON Schema of the values.
    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// The value that `null` stands for, where it does not stand for absence.
    fn null() -> Option<Self::Value> {
        None
    }
}

/// A value that serializes through its codec.
pub(in crate::codec) struct Written<'a, C: Codec>(pub &'a C::Value);

impl<C: Codec> Serialize for Written<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        C::write(self.0, serializer)
    }
}

/// A value that deserializes through its codec.
pub(in crate::codec) struct Read<C: Codec>(pub C::Value);

impl<'de, C: Codec> Deserialize<'de> for Read<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        C::read(deserializer).map(Self)
    }
}

/// As [`Read`], with `null` for absence.
pub(super) struct ReadSome<C: Codec>(pub Option<C::Value>);

impl<'de, C: Codec> Deserialize<'de> for ReadSome<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(SomeVisitor::<C>(PhantomData)).map(Self)
    }
}

struct SomeVisitor<C>(PhantomData<C>);

impl<'de, C: Codec> Visitor<'de> for SomeVisitor<C> {
    type Value = Option<C::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(C::null())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(C::null())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        C::read(deserializer).map(Some)
    }
}

/// What the tests of all codecs begin with.
#[cfg(test)]
pub(super) mod testing {
    use super::{Codec, Read, Written};
    use crate::codec::json::{from_slice, to_vec};

    pub(crate) fn write<C: Codec>(value: C::Value) -> Option<String> {
        to_vec(&Written::<C>(&value)).ok().map(|text| String::from_utf8(text).expect("JSON is UTF-8"))
    }

    pub(crate) fn read<C: Codec>(text: &str) -> Option<C::Value> {
        from_slice::<Read<C>>(text.as_bytes()).ok().map(|read| read.0)
    }

    /// None of the texts is a value.
    pub(crate) fn refuses<C: Codec>(texts: &[&str]) {
        for text in texts {
            assert!(read::<C>(text).is_none(), "{text} was read");
        }
    }
}
