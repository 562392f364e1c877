//! Protobuf's types in the model's words, and the Rust names prost gives them.

use std::collections::HashMap;

use heck::ToUpperCamelCase;
use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    OneofDescriptor,
};

use crate::{
    emit::{camel, snake},
    model::{Presence, Scalar, Type, TypeRef, groups},
};

/// A field's type, or why it has none here.
pub(super) fn field_type(field: &FieldDescriptor) -> Result<Type, (String, String)> {
    let kind = field.kind();
    if field.is_map() {
        let entry = kind.as_message().expect("a map field is a list of entries");
        let Type::Scalar(key) = single(&entry.map_entry_key_field().kind())? else {
            unreachable!("the compiler allows only scalars as map keys")
        };
        return Ok(Type::Map(key, Box::new(single(&entry.map_entry_value_field().kind())?)));
    }
    let single = single(&kind)?;
    Ok(if field.is_list() { Type::List(Box::new(single)) } else { single })
}

fn single(kind: &Kind) -> Result<Type, (String, String)> {
    Ok(match kind {
        Kind::Bool => Type::Scalar(Scalar::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Type::Scalar(Scalar::Int32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Type::Scalar(Scalar::Int64),
        Kind::Uint32 | Kind::Fixed32 => Type::Scalar(Scalar::UInt32),
        Kind::Uint64 | Kind::Fixed64 => Type::Scalar(Scalar::UInt64),
        Kind::Float => Type::Scalar(Scalar::Float),
        Kind::Double => Type::Scalar(Scalar::Double),
        Kind::String => Type::Scalar(Scalar::Text),
        Kind::Bytes => Type::Scalar(Scalar::Bytes),
        Kind::Enum(to) => named(to.full_name()).unwrap_or_else(|| Ok(Type::Enum(enum_ref(to))))?,
        Kind::Message(to) => named(to.full_name()).unwrap_or_else(|| Ok(Type::Struct(message_ref(to))))?,
    })
}

/// The types of `google.protobuf`; `None` for any other.
fn named(name: &str) -> Option<Result<Type, (String, String)>> {
    let name = name.strip_prefix("google.protobuf.")?;
    let marker = match name {
        "Timestamp" => "Timestamp",
        "Duration" => "Duration",
        "FieldMask" => "FieldMask",
        "Empty" => "Empty",
        "Struct" => "Struct",
        "Value" => "JsonValue",
        "ListValue" => "ListValue",
        "BoolValue" => "Bool",
        "Int32Value" => "Int32",
        "Int64Value" => "Int64",
        "UInt32Value" => "UInt32",
        "UInt64Value" => "UInt64",
        "FloatValue" => "Float",
        "DoubleValue" => "Double",
        "StringValue" => "Text",
        "BytesValue" => "Blob",
        _ => return Some(Err(refusal(name))),
    };
    Some(Ok(Type::WellKnown(marker)))
}

/// The type as the contract writes it: `repeated sint32`, `map<string, shop.v1.Line>`.
pub(super) fn declared(field: &FieldDescriptor) -> String {
    let kind = field.kind();
    let entry = kind.as_message().filter(|_| field.is_map());
    match entry {
        Some(entry) => {
            let (key, value) = (word(&entry.map_entry_key_field().kind()), word(&entry.map_entry_value_field().kind()));
            format!("map<{key}, {value}>")
        }
        None if field.is_list() => format!("repeated {}", word(&kind)),
        None => word(&kind),
    }
}

fn word(kind: &Kind) -> String {
    match kind {
        Kind::Message(to) => to.full_name().to_owned(),
        Kind::Enum(to) => to.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

fn refusal(name: &str) -> (String, String) {
    let hint = match name {
        "Any" => "say what may be in it: a `oneof` of messages",
        "NullValue" => "use `google.protobuf.Value`, or `optional`",
        _ => "describe the data with messages of your own",
    };
    (format!("`google.protobuf.{name}` is not supported: a reader could not know what is in it"), hint.to_owned())
}

/// How prost stores the field.
pub(super) fn presence(field: &FieldDescriptor, cycles: &Cycles) -> Presence {
    let kind = field.kind();
    match kind.as_message() {
        _ if field.cardinality() == Cardinality::Repeated => Presence::Plain,
        Some(message) if cycles.hold(message, field.parent_message()) => Presence::Boxed,
        _ if field.supports_presence() => Presence::Option,
        _ => Presence::Plain,
    }
}

/// Which messages hold themselves, without a list or map between: prost puts those into a box.
pub(super) struct Cycles(HashMap<String, usize>);

impl Cycles {
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        let messages: Vec<_> = pool.all_messages().collect();
        let places = messages.iter().enumerate().map(|(place, message)| (message.full_name(), place));
        let places: HashMap<_, _> = places.collect();
        let edges: Vec<_> = messages.iter().map(|message| inner(message, &places)).collect();
        let groups = messages.iter().zip(groups(&edges));
        Self(groups.map(|(message, group)| (message.full_name().to_owned(), group)).collect())
    }

    /// Does a value of `outer` hold `inner`, which holds an `outer`?
    fn hold(&self, outer: &MessageDescriptor, inner: &MessageDescriptor) -> bool {
        self.0.get(outer.full_name()) == self.0.get(inner.full_name())
    }
}

fn inner(message: &MessageDescriptor, places: &HashMap<&str, usize>) -> Vec<usize> {
    let single = message.fields().filter(|field| field.cardinality() != Cardinality::Repeated);
    single.filter_map(|field| places.get(field.kind().as_message()?.full_name()).copied()).collect()
}

pub(super) fn message_ref(message: &MessageDescriptor) -> TypeRef {
    type_ref(&message.parent_file(), message.parent_message(), camel(message.name()))
}

pub(super) fn enum_ref(item: &EnumDescriptor) -> TypeRef {
    type_ref(&item.parent_file(), item.parent_message(), camel(item.name()))
}

pub(super) fn oneof_ref(oneof: &OneofDescriptor) -> TypeRef {
    let parent = oneof.parent_message();
    let messages = parent.child_messages().map(|message| message.name().to_upper_camel_case());
    let enums = parent.child_enums().map(|item| item.name().to_upper_camel_case());
    let taken = messages.chain(enums).any(|name| name == oneof.name().to_upper_camel_case());
    // prost's own way out.
    let name = if taken { format!("{}OneOf", camel(oneof.name())) } else { camel(oneof.name()) };
    type_ref(&oneof.parent_file(), Some(parent.clone()), name)
}

/// prost puts what is nested in a message into a module of the message's name.
fn type_ref(file: &FileDescriptor, mut parent: Option<MessageDescriptor>, name: String) -> TypeRef {
    let mut path = vec![name];
    while let Some(message) = parent {
        path.insert(0, snake(message.name()));
        parent = message.parent_message();
    }
    TypeRef { package: file.package_name().to_owned(), path }
}

/// The variants prost makes of an enum's values: the enum's own name is cut from their beginning.
pub(super) fn variant(item: &str, value: &str) -> String {
    let (item, value) = (camel(item), value.to_upper_camel_case());
    let cut = value.strip_prefix(&item).filter(|rest| rest.starts_with(char::is_uppercase));
    camel(cut.unwrap_or(&value))
}
