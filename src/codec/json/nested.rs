//! Messages within messages, and lists.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer, Serializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    Codec, Object,
    codec::{Read, Written},
    read_object, write_object,
};

/// A message.
#[derive(Debug)]
pub struct Nested<M>(PhantomData<M>);

impl<M: Object + JsonSchema> Codec for Nested<M> {
    type Value = M;

    fn write<S: Serializer>(value: &M, serializer: S) -> Result<S::Ok, S::Error> {
        write_object(value, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
        read_object(deserializer)
    }

    // A message has presence wherever it stands alone.
    fn is_default(_: &M) -> bool {
        false
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<M>()
    }
}

/// A message that may contain itself.
#[derive(Debug)]
pub struct Boxed<M>(PhantomData<M>);

impl<M: Object + JsonSchema> Codec for Boxed<M> {
    type Value = Box<M>;

    fn write<S: Serializer>(value: &Box<M>, serializer: S) -> Result<S::Ok, S::Error> {
        write_object(&**value, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<M>, D::Error> {
        read_object(deserializer).map(Box::new)
    }

    fn is_default(_: &Box<M>) -> bool {
        false
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<M>()
    }
}

/// `repeated`.
#[derive(Debug)]
pub struct List<C>(PhantomData<C>);

impl<C: Codec> Codec for List<C> {
    type Value = Vec<C::Value>;

    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(value.iter().map(Written::<C>))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(ListVisitor::<C>(PhantomData))
    }

    fn is_default(value: &Self::Value) -> bool {
        value.is_empty()
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": C::schema(generator) })
    }
}

struct ListVisitor<C>(PhantomData<C>);

impl<'de, C: Codec> Visitor<'de> for ListVisitor<C> {
    type Value = Vec<C::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Read(item)) = items.next_element::<Read<C>>()? {
            list.push(item);
        }
        Ok(list)
    }
}

/// `google.protobuf.Empty`.
#[derive(Debug)]
pub struct Empty;

impl Codec for Empty {
    type Value = ();

    fn write<S: Serializer>(_: &(), serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(EmptyVisitor)
    }

    fn is_default(_: &()) -> bool {
        false
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

struct EmptyVisitor;

impl<'de> Visitor<'de> for EmptyVisitor {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
