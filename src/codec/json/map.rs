//! Maps: JSON objects whose names are the keys.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    Codec,
    codec::{Read, Written},
    integers,
    read::Name,
};

/// What can be the key of a map.
pub trait MapKey: Ord + Sized {
    /// Hands the key's text to the writer.
    fn with_text<T>(&self, take: impl FnOnce(&str) -> T) -> T;

    /// The key a text spells.
    fn from_text(text: &str) -> Option<Self>;
}

impl MapKey for String {
    fn with_text<T>(&self, take: impl FnOnce(&str) -> T) -> T {
        take(self)
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl MapKey for bool {
    fn with_text<T>(&self, take: impl FnOnce(&str) -> T) -> T {
        take(if *self { "true" } else { "false" })
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

macro_rules! integer_keys {
    // The same few lines for each type of whole number.
    ($($integer:ty)*) => {$(
        impl MapKey for $integer {
            fn with_text<T>(&self, take: impl FnOnce(&str) -> T) -> T {
                take(itoa::Buffer::new().format(*self))
            }

            fn from_text(text: &str) -> Option<Self> {
                integers::parse(text)
            }
        }
    )*};
}
integer_keys!(i32 i64 u32 u64);

/// `map<K, C>`.
#[derive(Debug)]
pub struct Map<K, C>(PhantomData<(K, C)>);

impl<K: MapKey, C: Codec> Codec for Map<K, C> {
    type Value = BTreeMap<K, C::Value>;

    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(Some(value.len()))?;
        for (key, value) in value {
            key.with_text(|key| out.serialize_entry(key, &Written::<C>(value)))?;
        }
        out.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(EntriesVisitor::<K, C>(PhantomData))
    }

    fn is_default(value: &Self::Value) -> bool {
        value.is_empty()
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": C::schema(generator) })
    }
}

struct EntriesVisitor<K, C>(PhantomData<(K, C)>);

impl<'de, K: MapKey, C: Codec> Visitor<'de> for EntriesVisitor<K, C> {
    type Value = BTreeMap<K, C::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(Name(name)) = map.next_key()? {
            let key = K::from_text(&name).ok_or_else(|| A::Error::custom("a map's key is not of its type"))?;
            let Read(value) = map.next_value::<Read<C>>()?;
            if entries.insert(key, value).is_some() {
                return Err(A::Error::custom("a map has a key twice"));
            }
        }
        Ok(entries)
    }
}
