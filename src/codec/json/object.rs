//! A message as a JSON object: what generated code implements, and the functions its implementation calls.

use serde::{Serializer, de::MapAccess, ser::SerializeMap};

use super::{
    Codec, Describe,
    codec::{ReadSome, Written},
};

/// A message whose canonical JSON is an object.
///
/// Do not implement this by hand; generated code does, field by field.
pub trait Object: Default {
    /// The full protobuf name.
    const NAME: &'static str;

    /// Writes the fields that are set.
    ///
    /// # Errors
    /// A value has no JSON form, or the serializer's own.
    fn write<M: SerializeMap>(&self, out: &mut M) -> Result<(), M::Error>;

    /// Reads one field by either spelling of its name.
    ///
    /// `Some(number)` is the field that was read, for members of a oneof the number of its first; `Some(0)` is a
    /// field that was read and set nothing. `None` is an unknown field, its value not consumed.
    ///
    /// # Errors
    /// Not a JSON form of the field's type, or the deserializer's own.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<Option<u32>, A::Error>;

    /// Tells the fields, for the JSON Schema.
    fn describe(object: &mut Describe<'_>);
}

/// Writes a message.
///
/// # Errors
/// A value has no JSON form, or the serializer's own.
pub fn write_object<T: Object, S: Serializer>(object: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut out = serializer.serialize_map(None)?;
    object.write(&mut out)?;
    out.end()
}

/// Writes a field without presence: left out at its default.
///
/// # Errors
/// The value has no JSON form, or the serializer's own.
pub fn put<C: Codec, M: SerializeMap>(out: &mut M, name: &'static str, value: &C::Value) -> Result<(), M::Error> {
    if C::is_default(value) { Ok(()) } else { put_always::<C, M>(out, name, value) }
}

/// Writes a field with presence: left out when absent.
///
/// # Errors
/// The value has no JSON form, or the serializer's own.
pub fn put_some<C: Codec, M: SerializeMap>(
    out: &mut M,
    name: &'static str,
    value: &Option<C::Value>,
) -> Result<(), M::Error> {
    value.as_ref().map_or(Ok(()), |value| put_always::<C, M>(out, name, value))
}

/// Writes a field whatever its value: the member of a oneof that is set.
///
/// # Errors
/// The value has no JSON form, or the serializer's own.
pub fn put_always<C: Codec, M: SerializeMap>(
    out: &mut M,
    name: &'static str,
    value: &C::Value,
) -> Result<(), M::Error> {
    out.serialize_entry(name, &Written::<C>(value))
}

/// Reads a field without presence; `null` is its default.
///
/// # Errors
/// Not a JSON form of the type, or the deserializer's own.
pub fn get<'de, C: Codec, A: MapAccess<'de>>(map: &mut A) -> Result<C::Value, A::Error> {
    get_some::<C, A>(map).map(Option::unwrap_or_default)
}

/// Reads a field with presence; `null` is absence.
///
/// # Errors
/// Not a JSON form of the type, or the deserializer's own.
pub fn get_some<'de, C: Codec, A: MapAccess<'de>>(map: &mut A) -> Result<Option<C::Value>, A::Error> {
    map.next_value::<ReadSome<C>>().map(|read| read.0)
}

/// Reads a member of a oneof and hands it over; the answer is that of [`Object::read`]. `null` chooses nothing.
///
/// # Errors
/// Not a JSON form of the type, or the deserializer's own.
pub fn choose<'de, C: Codec, A: MapAccess<'de>>(
    map: &mut A,
    first: u32,
    set: impl FnOnce(C::Value),
) -> Result<Option<u32>, A::Error> {
    let Some(value) = get_some::<C, A>(map)? else { return Ok(Some(0)) };
    set(value);
    Ok(Some(first))
}

/// Serialize, Deserialize and JsonSchema of a message, by its [`Object`].
///
/// A macro, because a blanket implementation of foreign traits is not allowed.
#[doc(hidden)]
#[macro_export]
macro_rules! json_object {
    ($message:ty) => {
        impl $crate::__private::serde::Serialize for $message {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::json::write_object(self, serializer)
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $message {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::json::read_object(deserializer)
            }
        }

        impl $crate::__private::schemars::JsonSchema for $message {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(<$message as $crate::__private::json::Object>::NAME)
            }

            fn json_schema(
                generator: &mut $crate::__private::schemars::SchemaGenerator,
            ) -> $crate::__private::schemars::Schema {
                $crate::__private::json::describe_object::<$message>(generator)
            }
        }
    };
}
