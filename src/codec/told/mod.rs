//! What an event's type knows, kept where the type is not.

mod example;
mod samples;
mod values;

pub(crate) use samples::Sample;

use bytes::Bytes;
use serde_json::Value;

use super::{
    DecodeError, DecodeErrorKind, Payload, decode, encode,
    personal::{Persons, shown},
};
use crate::{
    contract::PersonalFields,
    event::{Encoding, Event},
};

/// How often a `$ref` may lead to another.
const DEPTH: usize = 4;

/// What only an event's type tells.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    pub(crate) schema: fn() -> schemars::Schema,
    /// The event in these bytes, written anew in this encoding, if its contract has it.
    pub(crate) recode: fn(&Payload, Encoding) -> Result<Payload, DecodeError>,
    /// The event in these bytes, in JSON, for those who may see what is personal, or may not.
    pub(crate) shown: fn(&Payload, Persons) -> Result<Payload, DecodeError>,
    /// Which of its fields are personal.
    pub(crate) personal: Option<&'static PersonalFields>,
}

/// An event that has been read and written in every encoding of its contract, and stayed the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    /// As it is written in JSON.
    pub(crate) json: String,
    /// The bytes it takes in each encoding.
    pub(crate) sizes: Vec<(Encoding, usize)>,
}

/// The event in these bytes, written anew in this encoding.
pub(crate) fn recode<E: Event>(payload: &Payload, encoding: Encoding) -> Result<Payload, DecodeError> {
    let formless = || {
        let text = format!("it has no form in {}", encoding.media_type());
        DecodeError::new(DecodeErrorKind::Undecodable, text)
    };
    let written = encode(&decode::<E>(payload)?, encoding).map_err(|error| formless().caused_by(error))?;
    if written.encoding == encoding { Ok(written) } else { Err(formless()) }
}

impl Told {
    /// Of events of type `E`.
    pub(crate) fn of<E: Event>() -> Self {
        Self { schema: E::schema, recode: recode::<E>, shown: shown::<E>, personal: E::PERSONAL }
    }

    /// The JSON as the contract writes it, if it is an event of the contract.
    fn canonical(&self, json: &Value) -> Option<Payload> {
        let payload = Payload { encoding: Encoding::Json, bytes: Bytes::from(json.to_string()) };
        (self.recode)(&payload, Encoding::Json).ok()
    }

    /// Has the contract's own code read this JSON, write the event in each encoding, and read that.
    fn tried(&self, json: &Value) -> Option<Tried> {
        let written = self.canonical(json)?;
        let mut sizes = Vec::new();
        for encoding in [Encoding::Json, Encoding::Protobuf] {
            let Ok(other) = (self.recode)(&written, encoding) else { continue };
            (self.recode)(&other, Encoding::Json).ok().filter(|read| read.bytes == written.bytes)?;
            sizes.push((encoding, other.bytes.len()));
        }
        Some(Tried { json: String::from_utf8(written.bytes.into()).ok()?, sizes })
    }

    /// The contract's schema, its members in the order of their names: what keeps them as written depends on the build.
    pub(crate) fn schema(&self) -> Value {
        let mut schema = Value::from((self.schema)());
        schema.sort_all_objects();
        schema
    }

    /// An event that the contract takes, if one was found.
    pub(crate) fn example(&self) -> Option<Tried> {
        example::of(&self.schema(), self)
    }

    /// Events of the contract that differ in everything that it leaves open: all fields, few, the ends of each type.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        samples::of(&self.schema(), self)
    }
}

/// What a `$ref` within the schema stands for.
pub(crate) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut found = schema;
    // One that refers to itself stands for nothing.
    for _ in 0..DEPTH {
        let Some(pointer) = found["$ref"].as_str().and_then(|target| target.strip_prefix('#')) else { return found };
        found = root.pointer(pointer).unwrap_or(&Value::Null);
    }
    &Value::Null
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{
        contract::Contract,
        error::BoxError,
        event::{Attributes, Format, Invalid},
    };

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    static NOTE: Contract = Contract {
        name: "Note",
        version: 1,
        topic: "notes",
        shares_topic: false,
        routing_key: "Note",
        key: None,
        attributes: &[],
        fields: &[],
        ordered: false,
        fingerprint: "",
        source: "",
    };

    impl Event for Note {
        const CONTRACT: &'static Contract = &NOTE;
        type Format = Forgetful;

        fn key(&self) -> Option<Cow<'_, str>> {
            None
        }

        fn attributes(&self) -> Attributes {
            Attributes::default()
        }

        fn validate(&self) -> Result<(), Invalid> {
            Ok(())
        }

        fn schema() -> schemars::Schema {
            true.into()
        }
    }

    /// In its second encoding, every text is as long as before.
    struct Forgetful;

    impl Format<Note> for Forgetful {
        const ENCODINGS: &'static [Encoding] = &[Encoding::Protobuf, Encoding::Json];

        fn encode(note: &Note, encoding: Encoding) -> Result<Vec<u8>, BoxError> {
            Ok(match encoding {
                Encoding::Json => serde_json::to_vec(note)?,
                Encoding::Protobuf => vec![b'x'; note.text.len()],
            })
        }

        fn decode(payload: &[u8], encoding: Encoding) -> Result<Note, BoxError> {
            Ok(match encoding {
                Encoding::Json => serde_json::from_slice(payload)?,
                Encoding::Protobuf => Note { text: String::from_utf8(payload.to_vec())? },
            })
        }
    }

    #[test]
    fn an_example_is_what_every_encoding_keeps() {
        let tried = |text| Told::of::<Note>().tried(&serde_json::from_str(text).expect("JSON"));
        let kept = tried("{ \"text\": \"xx\" }").expect("nothing is lost");
        assert_eq!(kept.json, "{\"text\":\"xx\"}");
        assert_eq!(kept.sizes, [(Encoding::Json, 13), (Encoding::Protobuf, 2)]);
        assert_eq!(tried("{\"text\":\"xy\"}"), None, "one encoding forgets the y");
        assert_eq!(tried("{}"), None, "it is none");
    }
}
