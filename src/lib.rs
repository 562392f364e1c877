//! Services that talk in typed events: contracts in, running service out.
//!
//! A contract under `proto/` becomes a type that implements [`Event`]; a [`Service`] handles events by type and
//! publishes them; the memory transport carries them until a broker does. Start with the example below, then read
//! the guides in [`docs`].
//!
//! ```no_run
#![doc = include_str!("../examples/billing.rs")]
//! ```

// Generated code names `::tegami`, in here as anywhere.
extern crate self as tegami;

#[cfg(feature = "store")]
pub mod aggregate;
pub mod catalog;
pub mod codec;
mod config;
mod consumer;
pub mod contract;
pub mod docs;
pub mod envelope;
pub mod error;
pub mod event;
pub mod failpoint;
pub mod handler;
pub mod health;
#[cfg(feature = "http")]
pub mod http;
mod lifecycle;
#[cfg(feature = "logs")]
pub mod logs;
pub mod middleware;
pub mod outbox;
pub mod pipeline;
#[cfg(feature = "store")]
pub mod process;
#[cfg(feature = "store")]
pub mod projection;
pub mod publisher;
#[cfg(feature = "store")]
pub mod records;
pub mod relay;
#[cfg(feature = "schedule")]
pub mod schedule;
mod secret;
pub mod service;
#[cfg(feature = "store")]
pub mod store;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod transport;

pub use config::Config;
pub use contract::Contract;
pub use event::Event;
pub use handler::{Context, Handler, HandlerError, TransactionalHandler};
#[cfg(feature = "postgres")]
pub use outbox::postgres;
#[cfg(feature = "sqlite")]
pub use outbox::sqlite;
pub use pipeline::{Retry, Subscription};
pub use publisher::{PublishOptions, Publisher};
pub use secret::Secret;
pub use service::{Error, ErrorKind, Service};

/// Types of other crates that fields of contracts have.
pub mod types {
    pub use prost_types::{Duration, Timestamp};
    pub use uuid::Uuid;
}

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
        codec::{JsonSchema, Protobuf, json, json_schema, personal},
        contract::{AttributeKind, Contract, DeclaredAttribute, PersonalFields},
        error::BoxError,
        event::{
            Attributes, BoolField, Check, Event, Invalid, NumberField, PERSONAL, Pattern, Personal, Rules, TextField,
            Walk,
        },
        json_described, json_object,
    };
}

/// Brings in the modules generated from the contracts under `proto/`, or those of the set that `build.rs` gave a name.
#[macro_export]
macro_rules! include_contracts {
    () => {
        include!(concat!(env!("OUT_DIR"), "/tegami/all-packages.rs"));
    };
    ($set:literal) => {
        include!(concat!(env!("OUT_DIR"), "/tegami-", $set, "/all-packages.rs"));
    };
}
