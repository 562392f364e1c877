//! Text, bytes and truth.

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serializer,
    de::{Error, Visitor},
};

use super::Codec;

/// `string`.
#[derive(Debug)]
pub struct Text;

impl Codec for Text {
    type Value = String;

    fn write<S: Serializer>(value: &String, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }

    fn is_default(value: &String) -> bool {
        value.is_empty()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// `bool`.
#[derive(Debug)]
pub struct Bool;

impl Codec for Bool {
    type Value = bool;

    fn write<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*value)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        bool::deserialize(deserializer)
    }

    fn is_default(value: &bool) -> bool {
        !value
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// `bytes`, as base64: standard when written, either alphabet with or without padding when read.
#[derive(Debug)]
pub struct Blob;

impl Codec for Blob {
    type Value = Vec<u8>;

    fn write<S: Serializer>(value: &Vec<u8>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(value))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_str(BlobVisitor)
    }

    fn is_default(value: &Vec<u8>) -> bool {
        value.is_empty()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "contentEncoding": "base64" })
    }
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

struct BlobVisitor;

impl Visitor<'_> for BlobVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64 text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
        engine.decode(text).map_err(|error| E::custom(format_args!("not base64: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::codec::testing::*, *};

    #[test]
    fn bytes_are_read_from_either_alphabet() {
        assert_eq!(write::<Blob>(vec![251, 255, 254]).unwrap(), "\"+//+\"");
        assert_eq!(write::<Blob>(vec![1]).unwrap(), "\"AQ==\"");
        for text in ["\"AQ==\"", "\"AQ\"", "\"AQ=\""] {
            assert_eq!(read::<Blob>(text), Some(vec![1]), "{text}");
        }
        assert_eq!(read::<Blob>("\"-__-\""), Some(vec![251, 255, 254]));
        assert_eq!(read::<Blob>("\"-_\""), Some(vec![251]));
    }

    #[test]
    fn other_types_are_refused() {
        refuses::<Blob>(&["\"A\"", "\"AQ== \"", "\"A Q\"", "\"+_+_\"", "\"AQ\\n\"", "[1]", "1", "null"]);
        refuses::<Text>(&["1", "true", "null", "[]", "{}"]);
        refuses::<Bool>(&["1", "0", "\"true\"", "null"]);
    }
}
