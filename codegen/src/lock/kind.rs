//! The types of fields, as words: `repeated sint32`, `map<string, shop.v1.Line>`.

use std::fmt;

/// A value that is no structure of others. Numbers of protobuf are told apart by how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int32,
    Sint32,
    Sfixed32,
    Int64,
    Sint64,
    Sfixed64,
    Uint32,
    Fixed32,
    Uint64,
    Fixed64,
    Float,
    Double,
    Text,
    Bytes,
    /// From here on JSON Schema's own.
    Integer,
    Number,
    Boolean,
    Uuid,
    DateTime,
}

const WORDS: [(Kind, &str); 20] = [
    (Kind::Bool, "bool"),
    (Kind::Int32, "int32"),
    (Kind::Sint32, "sint32"),
    (Kind::Sfixed32, "sfixed32"),
    (Kind::Int64, "int64"),
    (Kind::Sint64, "sint64"),
    (Kind::Sfixed64, "sfixed64"),
    (Kind::Uint32, "uint32"),
    (Kind::Fixed32, "fixed32"),
    (Kind::Uint64, "uint64"),
    (Kind::Fixed64, "fixed64"),
    (Kind::Float, "float"),
    (Kind::Double, "double"),
    (Kind::Text, "string"),
    (Kind::Bytes, "bytes"),
    (Kind::Integer, "integer"),
    (Kind::Number, "number"),
    (Kind::Boolean, "boolean"),
    (Kind::Uuid, "uuid"),
    (Kind::DateTime, "date-time"),
];

/// What values a field has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Scalar(Kind),
    /// A type of the contracts, or of `google.protobuf`.
    Named(String),
    List(Box<Type>),
    Map(Kind, Box<Type>),
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WORDS.iter().find(|(kind, _)| kind == self).map_or("", |(_, word)| word))
    }
}

impl Type {
    /// The type that a text says; `None` where it says none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Deeper than a schema may nest.
        if text.matches("repeated ").count() + text.matches("map<").count() > 64 {
            return None;
        }
        if let Some(item) = text.strip_prefix("repeated ") {
            return Some(Self::List(Box::new(Self::parse(item)?)));
        }
        if let Some(inside) = text.strip_prefix("map<") {
            let (key, value) = inside.strip_suffix('>')?.split_once(", ")?;
            return Some(Self::Map(Kind::parse(key)?, Box::new(Self::parse(value)?)));
        }
        if let Some(kind) = Kind::parse(text) {
            return Some(Self::Scalar(kind));
        }
        let is_name = text.contains('.') && !text.contains([' ', '<', '>', ',']);
        is_name.then(|| Self::Named(text.to_owned()))
    }

    /// The named type that a value contains, directly or in a list or map.
    pub(crate) fn named(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(item) | Self::Map(_, item) => item.named(),
            Self::Scalar(_) => None,
        }
    }

    pub(crate) fn is_collection(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(..))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(kind) => kind.fmt(f),
            Self::Named(name) => f.write_str(name),
            Self::List(item) => write!(f, "repeated {item}"),
            Self::Map(key, item) => write!(f, "map<{key}, {item}>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Type, WORDS};

    #[test]
    fn types_are_read_as_they_are_written() {
        let words = WORDS.iter().map(|(_, word)| (*word).to_owned());
        let others =
            ["shop.v1.Line", "repeated repeated uuid", "map<string, repeated shop.v1.Line>", "map<int32, bool>"];
        for text in words.chain(others.map(str::to_owned)) {
            assert_eq!(Type::parse(&text).map(|ty| ty.to_string()), Some(text));
        }
        for text in ["", "line", "repeated", "map<string>", "map<shop.v1.Line, bool>", "a.b c", "a.b>"] {
            assert_eq!(Type::parse(text), None, "{text}");
        }
    }
}
