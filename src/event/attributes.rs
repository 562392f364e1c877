//! The pairs that travel beside a payload, where brokers can filter on them.

use std::{borrow::Cow, fmt, sync::Arc};

/// Names that begin so are tegami's own.
pub(crate) const RESERVED: &str = "tegami-";
/// Carries the event's name, for brokers to route and filter by.
pub(crate) const EVENT_ATTRIBUTE: &str = "tegami-event";

/// The longest name that every broker takes.
const LONGEST_NAME: usize = 256;
/// Names that brokers keep for themselves begin so, in any case of letters.
const THEIRS: [&str; 2] = ["aws.", "amazon."];

/// Does every broker take an attribute of this name?
pub(crate) fn is_plain_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let theirs = |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    name.len() <= LONGEST_NAME
        && name.bytes().all(known)
        && !name.split('.').any(str::is_empty)
        && !THEIRS.iter().any(theirs)
}

/// Does every broker take this text, and filter by it?
///
/// SNS reads an attribute's text between quotes as JSON when it filters. One that breaks out of them keeps the whole
/// message back from every subscription with a filter, and nobody is told.
pub(crate) fn is_plain_text(text: &str) -> bool {
    let breaks = |c: char| c.is_control() || matches!(c, '"' | '\\' | '\u{fffe}' | '\u{ffff}');
    !text.is_empty() && !text.contains(breaks)
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number; wide enough for every integer a contract can declare.
    Integer(i128),
    /// A floating-point number.
    Float(f64),
    /// True or false.
    Bool(bool),
}

impl Value {
    /// The value as text.
    #[cfg(feature = "store")]
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.to_string()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Integer(number) => number.fmt(f),
            Value::Float(number) => number.fmt(f),
            Value::Bool(truth) => truth.fmt(f),
        }
    }
}

macro_rules! value_from {
    // One conversion per scalar a contract can declare; a function cannot implement a trait many times.
    ($($from:ty => $variant:ident $(as $wide:ty)?),*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Value::$variant(value $(as $wide)?)
            }
        }
    )*};
}
value_from!(i32 => Integer as i128, i64 => Integer as i128, u32 => Integer as i128, u64 => Integer as i128,
            f32 => Float as f64, f64 => Float, bool => Bool);

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned().into())
    }
}

type Pair = (Cow<'static, str>, Value);

/// Attributes in the order they were set, each name once. Clones are cheap; order makes no difference to equality.
#[derive(Clone, Default)]
pub struct Attributes(Option<Arc<Vec<Pair>>>);

impl Attributes {
    /// None at all.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Sets an attribute, in place of one with the same name.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        let pairs = Arc::make_mut(self.0.get_or_insert_default());
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some(pair) => pair.1 = value,
            None => pairs.push((name, value)),
        }
    }

    /// Sets an attribute to a text, unless that is empty: brokers take no empty values.
    pub fn set_text(&mut self, name: &'static str, text: &str) {
        if !text.is_empty() {
            self.set(name, text);
        }
    }

    /// The same attributes and one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.pairs().iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The attribute of this name, where it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Takes an attribute out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let place = self.pairs().iter().position(|(known, _)| known == name)?;
        let pairs = self.0.as_mut().map(Arc::make_mut)?;
        let (_, value) = pairs.remove(place);
        if pairs.is_empty() {
            self.0 = None;
        }
        Some(value)
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.pairs().iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.pairs().len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn pairs(&self) -> &[Pair] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_every_broker_takes() {
        for name in ["a", "tegami-event", "a.b_c-D9", "aws", "awsome", "amazonas.x", &"n".repeat(256)] {
            assert!(is_plain_name(name), "{name}");
        }
        let long = "n".repeat(257);
        for name in ["", ".a", "a.", "a..b", ".", "AWS.a", "aws.a", "Amazon.a", "amazon.x", "a b", "a/b", "é", &long] {
            assert!(!is_plain_name(name), "{name}");
        }
    }

    #[test]
    fn texts_are_those_that_no_broker_misreads() {
        for text in ["EUR", "a b", "~", "é", "\u{fffd}", "\u{10000}", "{'a': 1}"] {
            assert!(is_plain_text(text), "{text:?}");
        }
        for text in ["", "\"", "a\\", "a\tb", "\n", "\u{0}", "\u{7f}", "\u{85}", "\u{fffe}", "\u{ffff}"] {
            assert!(!is_plain_text(text), "{text:?}");
        }
    }
}
