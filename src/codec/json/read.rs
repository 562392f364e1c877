//! Reading a message: one visitor for all of them.

use std::{borrow::Cow, collections::BTreeSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use super::Object;

/// Reads a message. Unknown fields are skipped.
///
/// # Errors
/// Not an object, a field that is not of its type or comes twice, two members of one oneof.
pub fn read_object<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of `{}`", T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        let mut seen = Seen::default();
        while let Some(Name(name)) = map.next_key()? {
            match object.read(&name, &mut map)? {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(0) => {}
                Some(number) if seen.is_new(number) => {}
                Some(_) => return Err(Error::custom(format_args!("`{}` has `{name}` twice", T::NAME))),
            }
        }
        Ok(object)
    }
}

/// A field's name as it stands in the text; copied only if it is spelled with escapes.
pub(super) struct Name<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor).map(Self)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_string<E: Error>(self, name: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name))
    }
}

/// The numbers of the fields read so far; the usual ones without allocation.
#[derive(Default)]
struct Seen {
    low: u64,
    high: BTreeSet<u32>,
}

impl Seen {
    fn is_new(&mut self, number: u32) -> bool {
        let Some(bit) = 1_u64.checked_shl(number) else { return self.high.insert(number) };
        let new = self.low & bit == 0;
        self.low |= bit;
        new
    }
}
