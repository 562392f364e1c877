//! How values of JSON Schema contracts look in JSON: one marker a type, named by generated code.
//!
//! `#[serde(with = "As::<List<Integer>>")]` reads and writes a field by its marker. Plain serde takes more than a
//! schema does: an array for an object, any spelling of a UUID, the last of two equal keys.

mod combined;
mod scalars;

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
struct Written<'a, F: Form>(&'a F::Value);

impl<F: Form> Serialize for Written<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        F::write(self.0, serializer)
    }
}

/// A value that serde reads by its form.
pub(super) struct Read<F: Form>(pub(super) F::Value);

impl<'de, F: Form> Deserialize<'de> for Read<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        F::read(deserializer).map(Self)
    }
}

/// A contract's text as a schema; the text was checked when the contract was compiled.
pub fn parse(text: &str) -> schemars::Schema {
    serde_json::from_str(text).expect("a compiled contract is a JSON object")
}
