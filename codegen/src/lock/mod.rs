//! `contracts.lock`: what the contracts of a folder say, as one file to commit, to review and to compare with.
//!
//! `take` makes a [`Lock`] of the model, `write` and `read` are its file, `compat` compares two. A lock knows only what a
//! reader of data could notice: names, numbers, types, rules and where an event travels; no comments and no order.

mod kind;
mod read;
mod take;
mod write;

use std::collections::BTreeMap;

pub(crate) use kind::{Kind, Type};
pub(crate) use read::read;
pub(crate) use take::take;
pub(crate) use write::{field, write};

use crate::model::{Dialect, Location, Reserved, Rules};

/// The version of the file's format.
const VERSION: u64 = 1;
/// What stands for every field among those that a service reads.
pub(crate) const ALL: &str = "*";

/// What a set of contracts says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lock {
    /// Every event and every type inside one, by its name in the contracts.
    pub(crate) items: BTreeMap<String, Item>,
    pub(crate) services: BTreeMap<String, Service>,
}

/// An event, or a type inside one.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) dialect: Dialect,
    pub(crate) event: Option<Event>,
    pub(crate) body: Body,
    /// In the contract, or in the lock's file.
    pub(crate) at: Location,
}

/// What an event says beside its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) version: u32,
    pub(crate) topic: String,
    pub(crate) routing_key: String,
    pub(crate) ordered: bool,
    pub(crate) fingerprint: String,
    /// The contract's file, below the contracts' folder.
    pub(crate) source: String,
}

/// What values a type has.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Object(Object),
    Enum(Enum),
    Union(Union),
}

/// A message or object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object {
    /// By number, then by name. The members of a protobuf oneof are among them.
    pub(crate) fields: Vec<Field>,
    /// Are properties that are not declared an error?
    pub(crate) closed: bool,
    pub(crate) reserved: Reserved,
}

/// One field of an object.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) json: String,
    pub(crate) number: Option<u32>,
    pub(crate) ty: Type,
    pub(crate) presence: Presence,
    pub(crate) oneof: Option<String>,
    pub(crate) key: bool,
    pub(crate) attribute: bool,
    pub(crate) personal: bool,
    pub(crate) subject: bool,
    pub(crate) rules: Rules,
    pub(crate) at: Location,
}

/// How a field says that it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is always there; in protobuf its default is not written.
    Always,
    /// It may be left out.
    Optional,
    /// It must be written, and may be null.
    Nullable,
}

/// Values with names, in protobuf by number; of several names of a number the first is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Enum {
    pub(crate) values: Vec<(String, Option<i32>)>,
    pub(crate) reserved: Reserved,
}

/// Objects that a property tells apart.
#[derive(Debug, Clone)]
pub(crate) struct Union {
    pub(crate) tag: String,
    /// The property's value, and the name of the object.
    pub(crate) variants: BTreeMap<String, String>,
}

/// What a service does with events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) publishes: Vec<String>,
    /// Each event with the paths of the fields it reads; [`ALL`] is every field.
    pub(crate) subscribes: BTreeMap<String, Vec<String>>,
}

impl Lock {
    /// Every event, by name.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&String, &Item, &Event)> {
        self.items.iter().filter_map(|(name, item)| Some((name, item, item.event.as_ref()?)))
    }

    /// The event of that name.
    pub(crate) fn event(&self, name: &str) -> Option<(&Item, &Event)> {
        let item = self.items.get(name)?;
        Some((item, item.event.as_ref()?))
    }
}

impl Item {
    /// The types that it names.
    pub(crate) fn named(&self) -> Vec<&str> {
        match &self.body {
            Body::Object(object) => object.fields.iter().filter_map(|field| field.ty.named()).collect(),
            Body::Union(union) => union.variants.values().map(String::as_str).collect(),
            Body::Enum(_) => Vec::new(),
        }
    }

    /// The fields of an object; none of anything else.
    pub(crate) fn fields(&self) -> &[Field] {
        match &self.body {
            Body::Object(object) => &object.fields,
            _ => &[],
        }
    }
}
