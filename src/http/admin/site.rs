//! What the pages tell of, beside health: gathered once, when the service starts.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use serde_json::Value;

use crate::{
    codec::{self, Payload},
    contract::Contract,
    event::{Encoding, Event},
    health::Board,
    transport::{Binding, QueuePlan},
};

/// A service, as its pages know it.
pub(crate) struct Site {
    pub(crate) service: String,
    pub(crate) board: Board,
    pub(crate) ways: Vec<Way>,
}

/// One event's way from its topic to its handler.
pub(crate) struct Way {
    /// The transport it is on; none for the main one.
    pub(crate) via: Option<String>,
    pub(crate) queue: QueuePlan,
    pub(crate) binding: Binding,
    pub(crate) contract: &'static Contract,
    /// The handler's path in its program.
    pub(crate) handler: String,
    /// How long its handler has.
    pub(crate) timeout: Duration,
    /// Those before each further attempt.
    pub(crate) delays: Vec<Duration>,
    pub(crate) told: Told,
}

/// What the types of a subscription tell.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    pub(super) schema: fn() -> schemars::Schema,
    /// Is this JSON an event of the contract?
    pub(super) reads: fn(String) -> bool,
}

impl Told {
    /// Of a subscription to `E`.
    pub(crate) fn of<E: Event>() -> Self {
        let reads =
            |text: String| codec::decode::<E>(&Payload { encoding: Encoding::Json, bytes: Bytes::from(text) }).is_ok();
        Self { schema: E::schema, reads }
    }

    /// The contract's schema, its members in the order of their names: what keeps them as written depends on the build.
    pub(super) fn schema(&self) -> Value {
        let mut schema = Value::from((self.schema)());
        schema.sort_all_objects();
        schema
    }
}

impl Site {
    /// The contracts of what is handled, by name.
    pub(super) fn contracts(&self) -> BTreeMap<&'static str, (&'static Contract, Told)> {
        self.ways.iter().map(|way| (way.contract.name, (way.contract, way.told))).collect()
    }
}
