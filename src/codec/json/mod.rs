//! JSON: the canonical proto3 mapping of messages, and the layout of JSON text.
//!
//! Generated code implements [`Object`] for each message, naming a [`Codec`] for each field; the rest is in
//! here. How text looks and what is refused while reading it is in `text`. Nothing in here knows of envelopes.

mod calendar;
mod codec;
pub(crate) mod depth;
mod describe;
mod discreet;
mod duration;
mod enums;
mod field_mask;
mod finite;
mod floats;
pub mod integer;
mod integers;
mod layout;
pub(crate) mod line;
mod map;
mod nested;
mod number;
mod object;
#[cfg(feature = "http")]
mod place;
mod read;
mod scalars;
pub(crate) mod strict;
#[cfg(test)]
mod tests;
mod text;
pub mod timestamp;
mod value;

pub use codec::Codec;
pub(in crate::codec) use codec::{Read, Written};
pub use describe::{Describe, describe_object, schema_of};
pub(crate) use discreet::without_value;
pub use duration::Duration;
pub use enums::{Enum, EnumNames, Null, enum_name};
pub use field_mask::FieldMask;
pub use floats::{Double, Float};
pub use integers::{Int32, Int64, UInt32, UInt64};
pub use map::{Map, MapKey};
pub use nested::{Boxed, Empty, List, Nested};
pub use object::{Object, choose, get, get_some, put, put_always, put_some, write_object};
#[cfg(feature = "http")]
pub(crate) use place::wrong_field;
pub use read::read_object;
pub use scalars::{Blob, Bool, Text};
pub use text::{from_slice, to_vec};
pub use timestamp::Timestamp;
pub use value::{JsonValue, ListValue, Struct};
