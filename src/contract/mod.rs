//! What a contract promises, as constants that generated code fills in.
//!
//! Nothing here is computed at run time: names, topics and limits were checked when the contract was compiled.

mod names;

pub use names::{Names, dead_letter_queue, retry_queue};

/// A contract's promise about one event: who it is, where it travels, what may be filtered on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    /// The identity on the wire: the protobuf full name, or the schema's `$id`.
    pub name: &'static str,
    /// The major version: the `vN` segment of the package, or 1 where there is none.
    pub version: u32,
    /// The topic the event is published to, without the environment's prefix.
    pub topic: &'static str,
    /// Does the contract set put another event on the same topic?
    pub shares_topic: bool,
    /// The AMQP routing key.
    pub routing_key: &'static str,
    /// The field whose value must stay in order together.
    pub key: Option<&'static str>,
    /// The fields that travel beside the payload.
    pub attributes: &'static [DeclaredAttribute],
    /// Every field, by path: `order_id`, `lines.article`. A path stands for all that is in it.
    pub fields: &'static [&'static str],
    /// Are events with the same key handled in the order they were published?
    pub ordered: bool,
    /// Hash of the contract's normal form.
    pub fingerprint: &'static str,
    /// Where the contract stands: `file:line`.
    pub source: &'static str,
}

/// What a contract says of persons: which fields are data about one, and about whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalFields {
    /// Every personal field, by path: `email`, `lines.article`. A path stands for all that is in it.
    pub paths: &'static [&'static str],
    /// The field whose value says whose data it is.
    pub subject: Option<&'static str>,
}

/// One declared attribute: its name on the wire and what kind of value it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeclaredAttribute {
    /// The field's name.
    pub name: &'static str,
    /// What kind of value it has.
    pub kind: AttributeKind,
}

/// The kinds of value an attribute can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// Text, or the name of an enum's value.
    Text,
    /// A whole or a floating-point number.
    Number,
    /// True or false.
    Bool,
}
