//! What a contract says, whichever language it is written in: the one model that both readers build.
//!
//! Readers (`protobuf`, `json_schema`) make [`Package`]s, `check` looks for mistakes in them, `emit` turns them
//! into Rust. Nothing here knows a file format or a token.

use std::collections::{BTreeMap, BTreeSet};

mod cycles;
mod fingerprint;
mod location;
mod paths;
mod personal;
mod rules;
mod set;

pub(crate) use cycles::groups;
pub(crate) use fingerprint::fingerprint;
pub(crate) use location::{Location, Mistake, Mistakes};
pub(crate) use paths::paths;
pub(crate) use personal::{MOST_PATHS, personal_paths};
pub(crate) use rules::{EXACT, Format, Rules};
pub(crate) use set::Contracts;

/// Everything the contracts put into one package.
#[derive(Debug, Default)]
pub(crate) struct Package {
    /// Dotted: `shop.orders.v1`.
    pub(crate) name: String,
    /// The first place where a contract names it.
    pub(crate) at: Location,
    /// The files it was read from, as shown to people.
    pub(crate) sources: Vec<String>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) unions: Vec<Union>,
    /// What JSON Schema says of its structs beside the fields.
    pub(crate) layouts: BTreeMap<TypeRef, Layout>,
}

/// What a JSON Schema says of an object beside its properties.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Are properties that are not declared an error?
    pub(crate) closed: bool,
    /// Properties that must be there, and may be null.
    pub(crate) nullable: BTreeSet<String>,
    /// The contract's text, where the object has a file of its own.
    pub(crate) text: Option<String>,
}

/// The language of a contract; it decides how values are stored in Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Enums are stored as `i32`.
    Protobuf,
    /// Enums are Rust enums with `as_str`.
    JsonSchema,
}

/// A type of the contracts, by where its Rust item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TypeRef {
    /// The package whose file holds it.
    pub(crate) package: String,
    /// Modules inside the package, then the type: `["order_paid", "Line"]`. Rust identifiers, `r#` included.
    pub(crate) path: Vec<String>,
}

/// What a protobuf message or enum keeps from being used again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reserved {
    /// Ranges, both ends in them.
    pub(crate) numbers: Vec<(i32, i32)>,
    pub(crate) names: Vec<String>,
}

/// A message or object: a Rust struct.
#[derive(Debug)]
pub(crate) struct Struct {
    /// The name in the contract, with its package: `shop.orders.v1.OrderPaid.Line`.
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    pub(crate) rust: TypeRef,
    pub(crate) docs: String,
    pub(crate) at: Location,
    pub(crate) fields: Vec<Field>,
    pub(crate) reserved: Reserved,
    /// Set when the struct is an event.
    pub(crate) event: Option<Event>,
}

/// What an event says beside its fields.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) topic: String,
    pub(crate) topic_at: Location,
    pub(crate) routing_key: String,
    pub(crate) ordered: bool,
    pub(crate) version: u32,
}

/// A field of a struct. The members of a protobuf oneof are fields of their [`Union`], not of the struct.
#[derive(Debug)]
pub(crate) struct Field {
    /// The name in the contract; also the attribute's name.
    pub(crate) name: String,
    /// The Rust identifier, `r#` included.
    pub(crate) rust: String,
    /// The name in JSON.
    pub(crate) json: String,
    /// The field's number, in protobuf.
    pub(crate) number: Option<u32>,
    pub(crate) docs: String,
    pub(crate) at: Location,
    pub(crate) ty: Type,
    /// The type as protobuf declares it, which tells numbers apart by how they are written: `repeated sint32`.
    pub(crate) declared: Option<String>,
    pub(crate) presence: Presence,
    pub(crate) rules: Rules,
    pub(crate) key: bool,
    pub(crate) attribute: bool,
    /// Data about a person.
    pub(crate) personal: bool,
    /// Whose data the event's personal fields are.
    pub(crate) subject: bool,
}

/// How a field says that it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Always there: stored as `T`; in protobuf its default means absent.
    Plain,
    /// Stored as `Option<T>`.
    Option,
    /// Stored as `Option<Box<T>>`.
    Boxed,
}

/// What values a field takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    Scalar(Scalar),
    Enum(TypeRef),
    Struct(TypeRef),
    Union(TypeRef),
    List(Box<Type>),
    Map(Scalar, Box<Type>),
    /// A type of `google.protobuf`, or free-form JSON, by the name of its JSON marker: `Timestamp`.
    WellKnown(&'static str),
}

/// The values that are no structure of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Bool,
    Int32,
    Int64,
    UInt32,
    UInt64,
    Float,
    Double,
    Text,
    Bytes,
    Uuid,
}

/// An enum of the contract.
#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    pub(crate) rust: TypeRef,
    pub(crate) docs: String,
    pub(crate) at: Location,
    pub(crate) values: Vec<EnumValue>,
    pub(crate) reserved: Reserved,
}

/// One value of an enum: its name in the contract, its Rust variant, and in protobuf its number.
#[derive(Debug)]
pub(crate) struct EnumValue {
    pub(crate) name: String,
    pub(crate) rust: String,
    pub(crate) number: Option<i32>,
    pub(crate) docs: String,
    pub(crate) at: Location,
}

/// A protobuf oneof, or a JSON Schema `oneOf` with a discriminator: a Rust enum with a value in each variant.
#[derive(Debug)]
pub(crate) struct Union {
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    pub(crate) rust: TypeRef,
    pub(crate) docs: String,
    pub(crate) at: Location,
    /// The property that tells the variants apart, in JSON Schema.
    pub(crate) tag: Option<String>,
    /// `rust` of each is the variant.
    pub(crate) variants: Vec<Field>,
}

impl Type {
    /// Is it a list or a map?
    pub(crate) fn is_collection(&self) -> bool {
        matches!(self, Type::List(_) | Type::Map(..))
    }

    /// The struct, enum or union that a value contains, directly or in a list or map.
    pub(crate) fn reference(&self) -> Option<&TypeRef> {
        match self {
            Type::Enum(to) | Type::Struct(to) | Type::Union(to) => Some(to),
            Type::List(item) | Type::Map(_, item) => item.reference(),
            Type::Scalar(_) | Type::WellKnown(_) => None,
        }
    }
}

/// The major version: the `vN` segment of a package, or 1 where there is none.
pub(crate) fn version(package: &str) -> u32 {
    let segments = package.rsplit('.');
    segments.filter_map(|segment| segment.strip_prefix('v')?.parse().ok()).next().unwrap_or(1)
}
