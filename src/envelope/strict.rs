//! JSON envelopes are read strictly, the parts we skip included: no name comes twice in one object, every number
//! and every string is one, and an object is not a list of its values.

use std::{borrow::Cow, collections::HashSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{DecodeError, bounds::undecodable};
use crate::codec::json;

/// Reads an object from JSON text that has no name twice.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a [u8], what: &str) -> Result<T, DecodeError> {
    check(text, what)?;
    let Object(value) = json::from_slice(text).map_err(|error| undecodable(format!("not {what}")).caused_by(error))?;
    Ok(value)
}

/// Reads a struct from an object only; what serde derives also takes a list of the members' values.
pub(super) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

/// Is this JSON text that has no name twice?
pub(super) fn check(text: &[u8], what: &str) -> Result<(), DecodeError> {
    let Unique = json::from_slice(text).map_err(|error| undecodable(format!("not {what}")).caused_by(error))?;
    Ok(())
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

/// Any value in which no object has a name twice.
struct Unique;

#[derive(PartialEq, Eq, Hash, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while let Some(Self) = list.next_element()? {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<Name<'_>>()? {
            let Self = object.next_value()?;
            if !names.insert(name) {
                return Err(Error::custom("a name comes twice in one object"));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_twice_is_refused_at_every_level_however_it_is_spelled() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#, r#"{"":0,"":0}"#] {
            assert!(check(text.as_bytes(), "JSON").is_err(), "{text}");
        }
        for text in
            [r#"{"a":1,"A":1}"#, r#"[{"a":{"a":{"a":1}}},{"a":null}]"#, "1e5", "-0", "null", "\"\\ud83d\\ude00\""]
        {
            assert!(check(text.as_bytes(), "JSON").is_ok(), "{text}");
        }
    }
}
