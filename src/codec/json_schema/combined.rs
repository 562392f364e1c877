//! Values that hold others.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Form, Read, Written};

/// A value, or null.
#[derive(Debug)]
pub struct Maybe<F>(PhantomData<F>);

impl<F: Form> Form for Maybe<F> {
    type Value = Option<F::Value>;

    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Written::<F>).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(Option::<Read<F>>::deserialize(deserializer)?.map(|Read(value)| value))
    }
}

/// A list.
#[derive(Debug)]
pub struct List<F>(PhantomData<F>);

impl<F: Form> Form for List<F> {
    type Value = Vec<F::Value>;

    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(value.iter().map(Written::<F>))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error> {
        let items = Vec::<Read<F>>::deserialize(deserializer)?;
        Ok(items.into_iter().map(|Read(item)| item).collect())
    }
}

/// An object whose names are data, each there once.
#[derive(Debug)]
pub struct Map<F>(PhantomData<F>);

impl<F: Form> Form for Map<F> {
    type Value = BTreeMap<String, F::Value>;

    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(value.iter().map(|(name, value)| (name, Written::<F>(value))))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(MapVisitor::<F>(PhantomData))
    }
}

struct MapVisitor<F>(PhantomData<F>);

impl<'de, F: Form> Visitor<'de> for MapVisitor<F> {
    type Value = BTreeMap<String, F::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((name, Read(value))) = object.next_entry::<String, Read<F>>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom("a map has a key twice"));
            }
            map.insert(name, value);
        }
        Ok(map)
    }
}

/// A struct or union, from an object only: serde's own would also take an array with the fields in order.
#[derive(Debug)]
pub struct Object<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> Form for Object<T> {
    type Value = T;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        from_object(deserializer)
    }
}

/// Reads a struct from an object only.
pub(crate) fn from_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
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
