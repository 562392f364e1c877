//! Events written by hand, one of each kind of contract.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tegami::{
    Contract, Event,
    codec::{JsonSchema, Protobuf},
    event::{Attributes, Invalid},
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
        ordered: false,
        fingerprint: "",
        source: "tests/wire/events.rs",
    }
}

/// Any JSON at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Anything(pub serde_json::Value);

/// The same bytes as `google.protobuf.StringValue`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub struct Hello {
    #[prost(string, tag = "1")]
    pub value: String,
}

macro_rules! event {
    // Both events have nothing but a format of their own.
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
event!(Anything, JsonSchema);
event!(Hello, Protobuf);
