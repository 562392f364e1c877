//! Maps: JSON objects whose names are the keys.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    Bool, Codec, Int32, Int64, Text, UInt32, UInt64,
    codec::{Read, Written},
    integers,
    read::Name,
};

/// A codec whose values can be the keys of a map.
pub trait MapKey: Codec<Value: Ord> {
    /// Hands the key's text to the writer.
    fn with_text<T>(key: &Self::Value, take: impl FnOnce(&str) -> T) -> T;

    /// The key a text spells.
    fn from_text(text: &str) -> Option<Self::Value>;
}

impl MapKey for Text {
    fn with_text<T>(key: &String, take: impl FnOnce(&str) -> T) -> T {
        take(key)
    }

    fn from_text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

impl MapKey for Bool {
    fn with_text<T>(key: &bool, take: impl FnOnce(&str) -> T) -> T {
        take(if *key { "true" } else { "false" })
    }

    fn from_text(text: &str) -> Option<bool> {
        text.parse().ok()
    }
}

macro_rules! integer_keys {
    // The same few lines for each type of whole number.
    ($($codec:ident)*) => {$(
        impl MapKey for $codec {
            fn with_text<T>(key: &Self::Value, take: impl FnOnce(&str) -> T) -> T {
                take(itoa::Buffer::new().format(*key))
            }

            fn from_text(text: &str) -> Option<Self::Value> {
                integers::parse(text)
            }
        }
    )*};
}
integer_keys!(Int32 Int64 UInt32 UInt64);

/// `map<K, C>`.
#[derive(Debug)]
pub struct Map<K, C>(PhantomData<(K, C)>);

impl<K: MapKey, C: Codec> Codec for Map<K, C> {
    type Value = BTreeMap<K::Value, C::Value>;

    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(Some(value.len()))?;
        for (key, value) in value {
            K::with_text(key, |key| out.serialize_entry(key, &Written::<C>(value)))?;
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
    type Value = BTreeMap<K::Value, C::Value>;

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

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    #[test]
    fn keys_are_text() {
        assert_eq!(
            write::<Map<Int64, Bool>>([(-2, true), (10, false)].into()).unwrap(),
            r#"{"-2": true, "10": false}"#
        );
        assert_eq!(write::<Map<Bool, Bool>>([(true, true)].into()).unwrap(), r#"{"true": true}"#);
        assert_eq!(read::<Map<UInt32, Int32>>(r#"{"4294967295": 1}"#), Some([(u32::MAX, 1)].into()));
        assert_eq!(read::<Map<Text, Int32>>(r#"{"\u00e9": 1}"#), Some([("é".to_owned(), 1)].into()));
    }

    #[test]
    fn keys_of_another_type_or_twice_are_refused() {
        refuses::<Map<Int32, Bool>>(&[r#"{"a": true}"#, r#"{"": true}"#, r#"{"2147483648": true}"#, r#"{"01": true}"#]);
        refuses::<Map<Int32, Bool>>(&[
            r#"{"1": true, "1": true}"#,
            r#"{"1": true, "1.0": true}"#,
            r#"{"1": null}"#,
            "[]",
        ]);
        refuses::<Map<Bool, Bool>>(&[r#"{"True": true}"#, r#"{"1": true}"#]);
    }
}
