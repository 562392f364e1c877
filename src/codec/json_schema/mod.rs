//! How values of JSON Schema contracts look in JSON: one marker a type, named by generated code.
//!
//! `#[serde(with = "As::<List<Integer>>")]` reads and writes a field by its marker. Plain serde takes more than a
//! schema does: an array for an object, any spelling of a UUID, the last of two equal keys.

mod combined;
mod scalars;

pub(crate) use combined::from_object;
pub use combined::{List, Map, Maybe, Object};
pub use scalars::{Choice, DateTime, Integer, Number, Plain, Uuid};

use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How one type of value is read and written.
///
/// MUST read whatever it writes, to an equal value.
pub trait Form {
    /// What the value is in Rust.
    type Value;

    /// Writes the value.
    ///
    /// # Errors
    /// JSON cannot say the value.
    fn write<S: Serializer>(value: &Self::Value, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads the value.
    ///
    /// # Errors
    /// The JSON is not of this form.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Value, D::Error>;
}

/// A form as serde's `with` takes it.
#[derive(Debug)]
pub struct As<F>(PhantomData<F>);

impl<F: Form> As<F> {
    /// Writes a field by its form.
    ///
    /// # Errors
    /// JSON cannot say the value.
    pub fn serialize<S: Serializer>(value: &F::Value, serializer: S) -> Result<S::Ok, S::Error> {
        F::write(value, serializer)
    }

    /// Reads a field by its form.
    ///
    /// # Errors
    /// The JSON is not of the form.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<F::Value, D::Error> {
        F::read(deserializer)
    }
}

/// A value that serde writes by its form.
pub(super) struct Written<'a, F: Form>(pub(super) &'a F::Value);

impl<F: Form> Serialize for Written<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        F::write(self.0, serializer)
    }
}

/// Values that serde writes by their form: for who compares them as JSON.
pub fn written<F: Form>(values: &[F::Value]) -> Vec<impl Serialize> {
    values.iter().map(Written::<F>).collect()
}

/// A value that serde reads by its form.
pub(super) struct Read<F: Form>(pub(super) F::Value);

impl<'de, F: Form> Deserialize<'de> for Read<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        F::read(deserializer).map(Self)
    }
}

/// A type with a JSON Schema file of its own.
pub trait Described {
    /// Its name in the contracts.
    const NAME: &'static str;
    /// The file, with what it refers to in others.
    const TEXT: &'static str;
}

/// The type's own text as a schema; the text was checked when the contract was compiled.
pub fn schema_of<T: Described>() -> schemars::Schema {
    serde_json::from_str(T::TEXT).expect("a compiled contract is a JSON object")
}

/// JsonSchema of a type, by its [`Described`].
///
/// A macro, because a blanket implementation of foreign traits is not allowed.
#[doc(hidden)]
#[macro_export]
macro_rules! json_described {
    ($described:ty) => {
        impl $crate::__private::schemars::JsonSchema for $described {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(<$described as $crate::__private::json_schema::Described>::NAME)
            }

            fn json_schema(
                _: &mut $crate::__private::schemars::SchemaGenerator,
            ) -> $crate::__private::schemars::Schema {
                $crate::__private::json_schema::schema_of::<$described>()
            }
        }
    };
}
