//! `google.protobuf.FieldMask`: paths in camelCase, joined by commas.

use std::fmt;

use prost_types::FieldMask as Mask;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer, de::Visitor, ser::Error as _};

use super::Codec;

/// `google.protobuf.FieldMask`.
#[derive(Debug)]
pub struct FieldMask;

impl Codec for FieldMask {
    type Value = Mask;

    fn write<S: Serializer>(value: &Mask, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        for (n, path) in value.paths.iter().enumerate() {
            if n > 0 {
                text.push(',');
            }
            push_camel(&mut text, path).ok_or_else(|| S::Error::custom("a field mask's path has no JSON form"))?;
        }
        serializer.serialize_str(&text)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mask, D::Error> {
        deserializer.deserialize_str(MaskVisitor)
    }

    fn is_default(_: &Mask) -> bool {
        false
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

struct MaskVisitor;

impl Visitor<'_> for MaskVisitor {
    type Value = Mask;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("paths in camelCase, joined by commas")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Mask, E> {
        if text.is_empty() {
            return Ok(Mask::default());
        }
        let paths: Option<Vec<_>> = text.split(',').map(snake).collect();
        let paths = paths.ok_or_else(|| E::custom("a field mask's path is not in camelCase"))?;
        Ok(Mask { paths })
    }
}

/// Only paths that come back the same have a JSON form.
fn push_camel(text: &mut String, path: &str) -> Option<()> {
    if path.is_empty() {
        return None;
    }
    let mut chars = path.chars();
    while let Some(char) = chars.next() {
        match char {
            'A'..='Z' | ',' => return None,
            '_' => text.push(chars.next().filter(char::is_ascii_lowercase)?.to_ascii_uppercase()),
            _ => text.push(char),
        }
    }
    Some(())
}

fn snake(path: &str) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let mut snake = String::with_capacity(path.len() + 4);
    for char in path.chars() {
        match char {
            '_' => return None,
            'A'..='Z' => snake.extend(['_', char.to_ascii_lowercase()]),
            _ => snake.push(char),
        }
    }
    Some(snake)
}

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    fn mask(paths: &[&str]) -> Mask {
        Mask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
    }

    #[test]
    fn paths_come_back() {
        for (paths, text) in [(&[][..], ""), (&["a"], "a"), (&["foo_bar.baz_qux", "c"], "fooBar.bazQux,c")] {
            assert_eq!(write::<FieldMask>(mask(paths)), Some(format!("\"{text}\"")));
            assert_eq!(read::<FieldMask>(&format!("\"{text}\"")), Some(mask(paths)));
        }
    }

    #[test]
    fn paths_that_would_not_come_back_are_refused() {
        for path in ["fooBar", "foo__bar", "foo_3", "foo_", "a,b", ""] {
            assert_eq!(write::<FieldMask>(mask(&[path])), None, "{path}");
        }
        refuses::<FieldMask>(&["\"foo_bar\"", "\"a,,b\"", "\",\"", "[\"a\"]", "{}", "null"]);
    }
}
