//! The way to what is personal in an event, wherever it stands. Generated code goes it; what is done there is in `codec`.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Write},
    mem,
};

use serde_json::value::RawValue;

use crate::error::BoxError;

/// What stands in place of a personal value where it must not be told.
#[derive(Clone, Copy)]
pub struct Hidden;

/// In place of a value.
pub const PERSONAL: Hidden = Hidden;

impl Hidden {
    /// How it is told.
    pub(crate) const TEXT: &str = "<personal>";
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::TEXT)
    }
}

/// A type with something personal in it.
pub trait Personal {
    /// Goes to every personal field.
    ///
    /// # Errors
    /// What is done there cannot be.
    fn walk(&mut self, walk: &mut Walk) -> Result<(), BoxError>;
}

impl<P: Personal> Personal for Option<P> {
    fn walk(&mut self, walk: &mut Walk) -> Result<(), BoxError> {
        self.as_mut().map_or(Ok(()), |inner| inner.walk(walk))
    }
}

impl<P: Personal> Personal for Box<P> {
    fn walk(&mut self, walk: &mut Walk) -> Result<(), BoxError> {
        P::walk(self, walk)
    }
}

impl<P: Personal> Personal for Vec<P> {
    fn walk(&mut self, walk: &mut Walk) -> Result<(), BoxError> {
        self.iter_mut().enumerate().try_for_each(|(n, item)| walk.inside(n, item))
    }
}

impl<K: Display, P: Personal> Personal for BTreeMap<K, P> {
    fn walk(&mut self, walk: &mut Walk) -> Result<(), BoxError> {
        self.iter_mut().try_for_each(|(key, item)| walk.inside(key, item))
    }
}

/// Values as JSON, by their JSON pointers in the event's canonical JSON.
pub(crate) type Parts = BTreeMap<String, Box<RawValue>>;

/// What is done at each personal field.
#[derive(Debug)]
pub(crate) enum Deed {
    /// Its value is taken out, unless it is blank.
    Take(Parts),
    /// The value that was taken is put back.
    Put(Parts),
    /// Where there is a value is noted.
    Find(Vec<String>),
}

/// How values of a type are written, read, and known to say nothing.
pub(crate) struct Leaf<T> {
    pub(crate) write: fn(&T) -> Result<Vec<u8>, BoxError>,
    pub(crate) read: fn(&[u8]) -> Result<T, BoxError>,
    pub(crate) is_blank: fn(&T) -> bool,
}

/// A way through an event, and what is done on it.
pub struct Walk {
    /// A JSON pointer.
    path: String,
    deed: Deed,
}

impl Walk {
    pub(crate) fn to(deed: Deed) -> Self {
        Self { path: String::new(), deed }
    }

    pub(crate) fn end(self) -> Deed {
        self.deed
    }

    /// Goes on inside a field, an item or an entry.
    ///
    /// # Errors
    /// What is done there cannot be.
    pub fn inside(&mut self, name: impl Display, inner: &mut impl Personal) -> Result<(), BoxError> {
        self.step(name, |walk| inner.walk(walk))
    }

    /// Has arrived at a value.
    pub(crate) fn leaf<T: Default>(&mut self, name: &str, value: &mut T, leaf: Leaf<T>) -> Result<(), BoxError> {
        self.step(name, |walk| match &mut walk.deed {
            Deed::Take(parts) if !(leaf.is_blank)(value) => {
                let json = String::from_utf8((leaf.write)(&mem::take(value))?)?;
                parts.insert(walk.path.clone(), RawValue::from_string(json)?);
                Ok(())
            }
            Deed::Put(parts) => {
                if let Some(json) = parts.remove(&walk.path) {
                    *value = (leaf.read)(json.get().as_bytes())?;
                }
                Ok(())
            }
            Deed::Find(found) if !(leaf.is_blank)(value) => {
                found.push(walk.path.clone());
                Ok(())
            }
            Deed::Take(_) | Deed::Find(_) => Ok(()),
        })
    }

    fn step(&mut self, name: impl Display, go: impl FnOnce(&mut Self) -> Result<(), BoxError>) -> Result<(), BoxError> {
        let length = self.path.len();
        let name = name.to_string().replace('~', "~0").replace('/', "~1");
        write!(self.path, "/{name}").expect("writing to a String cannot fail");
        let gone = go(self);
        self.path.truncate(length);
        gone
    }
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("path", &self.path).finish_non_exhaustive()
    }
}
