//! Fills the model from compiled descriptors.

use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor, OneofDescriptor, Syntax};

use super::{
    locate::Places,
    options,
    types::{Cycles, declared, enum_ref, field_type, message_ref, oneof_ref, presence, variant},
};
use crate::{
    emit::{camel, snake},
    model::{
        Dialect, Enum, EnumValue, Event, Field, Mistakes, Package, Presence, Reserved, Rules, Struct, Type, Union,
        version,
    },
    sources::Source,
};

/// The numbers of a file's parts in `descriptor.proto`; paths are made of them.
const PACKAGE: i32 = 2;
const SYNTAX: i32 = 12;
const OPTIONS: i32 = 8;
const MESSAGE_OPTIONS: i32 = 7;
/// The number of tegami's options.
const EXTENSION: i32 = 50920;

/// Packages of files that every contract can import.
const OURS: [&str; 2] = ["google.protobuf", "tegami.v1"];

/// Everything a file puts into its package; `None` when it cannot be used at all.
pub(super) fn file(
    file: &FileDescriptor,
    source: &Source,
    cycles: &Cycles,
    mistakes: &mut Mistakes,
) -> Option<Package> {
    let places = Places::new(file, source);
    if file.syntax() != Syntax::Proto3 {
        let hint = "write `syntax = \"proto3\";` as the first line";
        mistakes.add(&places.at(&[SYNTAX], &[]), "only proto3 is supported", hint);
        return None;
    }
    if file.package_name().is_empty() {
        let hint = "write `package shop.orders.v1;` below the syntax: names on the wire begin with it";
        mistakes.add(&places.at(&[PACKAGE], &[]), "the file has no package", hint);
        return None;
    }
    let (name, at) = (file.package_name().to_owned(), places.at(&[PACKAGE], &[]));
    if OURS.contains(&name.as_str()) {
        mistakes.add(&at, format!("the package `{name}` is taken"), "give the contracts a package of their own");
        return None;
    }
    let package = Package { name, at, sources: vec![source.shown.clone()], ..Package::default() };
    let mut reader = Reader { file, places, cycles, package, mistakes };
    file.messages().for_each(|message| reader.message(&message));
    file.enums().for_each(|item| reader.item(&item));
    Some(reader.package)
}

struct Reader<'a> {
    file: &'a FileDescriptor,
    places: Places<'a>,
    cycles: &'a Cycles,
    package: Package,
    mistakes: &'a mut Mistakes,
}

impl Reader<'_> {
    fn message(&mut self, message: &MessageDescriptor) {
        let mut fields = Vec::new();
        for field in message.fields().filter(|field| real_oneof(field).is_none()) {
            fields.extend(self.field(&field, snake(field.name())));
        }
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            fields.push(self.oneof(&oneof));
        }
        // In the order of the contract: prost-reflect sorts by number.
        fields.sort_by_key(|field| (field.at.line, field.at.column));
        let path = message.path();
        self.package.structs.push(Struct {
            name: message.full_name().to_owned(),
            dialect: Dialect::Protobuf,
            rust: message_ref(message),
            docs: self.places.docs(path),
            at: self.places.at(path, &[1]),
            fields,
            reserved: reserved(message),
            event: self.event(message),
        });
        message.child_messages().filter(|child| !child.is_map_entry()).for_each(|child| self.message(&child));
        message.child_enums().for_each(|item| self.item(&item));
    }

    fn event(&self, message: &MessageDescriptor) -> Option<Event> {
        let event = options::event(message)?;
        let of_file = options::topic(self.file);
        let package = self.file.package_name();
        let (topic, topic_at) = match (event.topic.is_empty(), of_file) {
            (false, _) => (event.topic, self.places.at(message.path(), &[MESSAGE_OPTIONS, EXTENSION])),
            (true, Some(topic)) => (topic, self.places.at(&[OPTIONS, EXTENSION], &[])),
            (true, None) => (package.replace('.', "-"), self.places.at(&[PACKAGE], &[])),
        };
        let routing_key = match event.routing_key {
            empty if empty.is_empty() => message.full_name().to_owned(),
            routing_key => routing_key,
        };
        Some(Event { topic, topic_at, routing_key, ordered: event.ordered, version: version(package) })
    }

    /// A field of a message, or a member of a oneof, which has another Rust name.
    fn field(&mut self, field: &FieldDescriptor, rust: String) -> Option<Field> {
        let at = self.places.at(field.path(), &[1]);
        let ty = match field_type(field) {
            Ok(ty) => ty,
            Err((reason, hint)) => {
                self.mistakes.add(&at, reason, hint);
                return None;
            }
        };
        let options = options::field(field);
        Some(Field {
            name: field.name().to_owned(),
            rust,
            json: field.json_name().to_owned(),
            number: Some(field.number()),
            docs: self.places.docs(field.path()),
            at,
            ty,
            declared: Some(declared(field)),
            presence: presence(field, self.cycles),
            rules: options.rules,
            key: options.key,
            attribute: options.attribute,
            personal: options.personal,
            subject: options.subject,
        })
    }

    /// The field that holds a oneof; its members go into the package's unions.
    fn oneof(&mut self, oneof: &OneofDescriptor) -> Field {
        let members = oneof.fields().filter_map(|field| self.member(&field)).collect();
        let (rust, docs) = (oneof_ref(oneof), self.places.docs(oneof.path()));
        let at = self.places.at(oneof.path(), &[1]);
        self.package.unions.push(Union {
            name: oneof.full_name().to_owned(),
            dialect: Dialect::Protobuf,
            rust: rust.clone(),
            docs: docs.clone(),
            at: at.clone(),
            tag: None,
            variants: members,
        });
        Field {
            name: oneof.name().to_owned(),
            rust: snake(oneof.name()),
            json: oneof.name().to_owned(),
            number: oneof.fields().next().map(|field| field.number()),
            docs,
            at,
            ty: Type::Union(rust),
            declared: None,
            presence: Presence::Option,
            rules: Rules::default(),
            key: false,
            attribute: false,
            personal: false,
            subject: false,
        }
    }

    fn member(&mut self, field: &FieldDescriptor) -> Option<Field> {
        let member = self.field(field, camel(field.name()))?;
        let presence = if member.presence == Presence::Boxed { Presence::Boxed } else { Presence::Plain };
        Some(Field { presence, ..member })
    }

    fn item(&mut self, item: &EnumDescriptor) {
        let values = item.enum_descriptor_proto().value.iter().enumerate().map(|(n, value)| {
            let path = [item.path(), &[2, i32::try_from(n).expect("an enum has few values")]].concat();
            EnumValue {
                name: value.name().to_owned(),
                rust: variant(item.name(), value.name()),
                number: Some(value.number()),
                docs: self.places.docs(&path),
                at: self.places.at(&path, &[]),
            }
        });
        let item = Enum {
            name: item.full_name().to_owned(),
            dialect: Dialect::Protobuf,
            rust: enum_ref(item),
            docs: self.places.docs(item.path()),
            at: self.places.at(item.path(), &[1]),
            values: values.collect(),
            reserved: reserved_values(item),
        };
        self.package.enums.push(item);
    }
}

fn reserved(message: &MessageDescriptor) -> Reserved {
    let proto = message.descriptor_proto();
    // Of a message's ranges the end is not in them.
    let numbers = proto.reserved_range.iter().map(|range| (range.start(), range.end() - 1));
    Reserved { numbers: numbers.collect(), names: proto.reserved_name.clone() }
}

fn reserved_values(item: &EnumDescriptor) -> Reserved {
    let proto = item.enum_descriptor_proto();
    let numbers = proto.reserved_range.iter().map(|range| (range.start(), range.end()));
    Reserved { numbers: numbers.collect(), names: proto.reserved_name.clone() }
}

/// The oneof a contract wrote; an `optional` field has one that only the compiler sees.
fn real_oneof(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}
