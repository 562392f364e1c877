//! Services that talk in typed events.

// Generated code names `::tegami`, in here as anywhere.
extern crate self as tegami;

pub mod codec;
pub mod contract;
pub mod envelope;
pub mod error;
pub mod event;
pub mod lifecycle;
pub mod time;
pub mod transport;

pub use contract::Contract;
pub use event::Event;

/// What generated code needs. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use prost;
    pub use prost_types;
    pub use schemars;
    pub use serde;
    pub use typed_builder;
    pub use uuid::Uuid;

    pub use crate::{
        codec::{JsonSchema, Protobuf, json, json_schema},
        contract::{AttributeKind, AttributeSpec, Contract},
        event::{Attributes, BoolField, Check, Event, Invalid, NumberField, Pattern, Rules, TextField},
        json_object,
    };
}

/// Brings in the modules generated from the contracts under `proto/`.
///
/// Give a package (`include_contracts!("shop.orders.v1")`) to take that one only.
#[macro_export]
macro_rules! include_contracts {
    () => {
        include!(concat!(env!("OUT_DIR"), "/tegami/contracts.rs"));
    };
    ($package:literal) => {
        include!(concat!(env!("OUT_DIR"), "/tegami/", $package, ".rs"));
    };
}
