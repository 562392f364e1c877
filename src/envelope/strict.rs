//! Structs are read from strict JSON text, and from objects only: what serde derives also takes a list of the members'
//! values.

use serde::{Deserialize, Deserializer};

use super::{DecodeError, bounds::undecodable};
use crate::codec::{json, json_schema::from_object};

/// Reads an object from strict JSON text.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a [u8], what: &str) -> Result<T, DecodeError> {
    let not_one = || undecodable(format!("not {what}"));
    json::strict::check(text).map_err(|fault| not_one().caused_by(fault))?;
    let Object(value) = json::from_slice(text).map_err(|error| not_one().caused_by(error))?;
    Ok(value)
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_object(deserializer).map(Self)
    }
}
