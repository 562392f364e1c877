//! Events written by hand, of each kind of contract.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tegami::{
    Contract, Event,
    codec::{Protobuf, json},
    error::BoxError,
    event::{Attributes, Encoding, Format, Invalid},
};

const fn contract(name: &'static str) -> Contract {
    Contract {
        name,
        version: 1,
        topic: "wire-v1",
        shares_topic: false,
        routing_key: name,
        key: None,
        attributes: &[],
        fields: &[],
        ordered: false,
        fingerprint: "",
        source: "tests/wire/events.rs",
    }
}

/// Any JSON at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Anything(pub serde_json::Value);

/// A format for any JSON: a contract's would insist on an object.
pub struct AnyJson;

impl Format<Anything> for AnyJson {
    const ENCODINGS: &'static [Encoding] = &[Encoding::Json];

    fn encode(event: &Anything, _: Encoding) -> Result<Vec<u8>, BoxError> {
        Ok(json::to_vec(event)?)
    }

    fn decode(payload: &[u8], _: Encoding) -> Result<Anything, BoxError> {
        Ok(json::from_slice(payload)?)
    }
}

/// The same bytes as `google.protobuf.StringValue`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub struct Hello {
    #[prost(string, tag = "1")]
    pub value: String,
}

/// A message that may contain itself.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub struct Chain {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[prost(message, optional, boxed, tag = "1")]
    pub next: Option<Box<Chain>>,
}

macro_rules! event {
    // The events have nothing but a format of their own.
    ($name:ident, $format:ty) => {
        impl Event for $name {
            const CONTRACT: &'static Contract = &contract(concat!("wire.v1.", stringify!($name)));
            type Format = $format;

            fn key(&self) -> Option<Cow<'_, str>> {
                None
            }

            fn attributes(&self) -> Attributes {
                Attributes::new()
            }

            fn validate(&self) -> Result<(), Invalid> {
                Ok(())
            }

            fn schema() -> schemars::Schema {
                schemars::Schema::default()
            }
        }
    };
}
event!(Anything, AnyJson);
event!(Hello, Protobuf);
event!(Chain, Protobuf);
