//! A lock of the model.

use std::collections::BTreeMap;

use super::{Body, Enum, Event, Field, Item, Kind, Lock, Object, Presence, Type, Union};
use crate::model::{self, Contracts, Dialect, Layout, Scalar, Struct, TypeRef, fingerprint};

/// The lock of these contracts, without services. Files are told as they stand below the contracts' folder.
pub(crate) fn take(set: &Contracts, folder: &str) -> Lock {
    let mut take = Take { set, folder, items: BTreeMap::new(), open: Vec::new() };
    take.open = set.events().map(|(item, _)| item.rust.clone()).collect();
    while let Some(next) = take.open.pop() {
        take.item(&next);
    }
    Lock { items: take.items, services: BTreeMap::new() }
}

struct Take<'a> {
    set: &'a Contracts,
    folder: &'a str,
    items: BTreeMap<String, Item>,
    open: Vec<TypeRef>,
}

impl Take<'_> {
    fn item(&mut self, rust: &TypeRef) {
        let set = self.set;
        if let Some(item) = set.find_struct(rust) {
            if !self.items.contains_key(&item.name) {
                self.object(item);
            }
        } else if let Some(item) = set.find_enum(rust) {
            let mut values: Vec<_> = item.values.iter().map(|value| (value.name.clone(), value.number)).collect();
            // The order means something only among the names of one number.
            match item.dialect {
                Dialect::Protobuf => values.sort_by_key(|(_, number)| *number),
                Dialect::JsonSchema => values.sort(),
            }
            let body = Body::Enum(Enum { values, reserved: item.reserved.clone() });
            self.add(&item.name, Item { dialect: item.dialect, event: None, body, at: item.at.clone() });
        } else if let Some(item) = set.find_union(rust) {
            let variants = item.variants.iter().filter_map(|variant| {
                let to = variant.ty.reference()?;
                self.open.push(to.clone());
                Some((variant.name.clone(), self.name(to)))
            });
            let body = Body::Union(Union { variants: variants.collect(), tag: item.tag.clone().unwrap_or_default() });
            self.add(&item.name, Item { dialect: item.dialect, event: None, body, at: item.at.clone() });
        }
    }

    fn add(&mut self, name: &str, item: Item) {
        self.items.insert(name.to_owned(), item);
    }

    fn object(&mut self, item: &Struct) {
        let layout = self.set.layout(&item.rust);
        let mut fields: Vec<_> = item.fields.iter().flat_map(|field| self.fields(item, field, layout)).collect();
        fields.sort_by(|left, right| (left.number, &left.name).cmp(&(right.number, &right.name)));
        let closed = layout.is_some_and(|layout| layout.closed);
        let body = Body::Object(Object { fields, closed, reserved: item.reserved.clone() });
        self.add(&item.name, Item { dialect: item.dialect, event: self.event(item), body, at: item.at.clone() });
    }

    fn event(&self, item: &Struct) -> Option<Event> {
        let event = item.event.as_ref()?;
        let source = item.at.file.strip_prefix(self.folder).unwrap_or(&item.at.file);
        Some(Event {
            version: event.version,
            topic: event.topic.clone(),
            routing_key: event.routing_key.clone(),
            ordered: event.ordered,
            fingerprint: fingerprint(item, self.set),
            source: source.trim_start_matches('/').to_owned(),
        })
    }

    /// A field, or each member of a oneof.
    fn fields(&mut self, owner: &Struct, field: &model::Field, layout: Option<&Layout>) -> Vec<Field> {
        if let (model::Type::Union(to), Dialect::Protobuf) = (&field.ty, owner.dialect) {
            let members = self.set.find_union(to).map_or(&[][..], |union| &union.variants);
            let oneof = Some(field.name.clone());
            let member =
                |member| Field { presence: Presence::Optional, oneof: oneof.clone(), ..self.field(member, false) };
            return members.iter().map(member).collect();
        }
        vec![self.field(field, layout.is_some_and(|layout| layout.nullable.contains(&field.name)))]
    }

    fn field(&mut self, field: &model::Field, is_nullable: bool) -> Field {
        self.open.extend(field.ty.reference().cloned());
        let ty = field.declared.as_deref().and_then(Type::parse).unwrap_or_else(|| self.ty(&field.ty));
        let presence = match field.presence {
            model::Presence::Plain => Presence::Always,
            _ if is_nullable => Presence::Nullable,
            _ => Presence::Optional,
        };
        Field {
            name: field.name.clone(),
            json: field.json.clone(),
            number: field.number,
            ty,
            presence,
            oneof: None,
            key: field.key,
            attribute: field.attribute,
            personal: field.personal,
            subject: field.subject,
            rules: field.rules.clone(),
            at: field.at.clone(),
        }
    }

    /// A type of JSON Schema.
    fn ty(&self, ty: &model::Type) -> Type {
        match ty {
            model::Type::Scalar(scalar) => Type::Scalar(kind(*scalar)),
            model::Type::WellKnown(_) => Type::Scalar(Kind::DateTime),
            model::Type::Enum(to) | model::Type::Struct(to) | model::Type::Union(to) => Type::Named(self.name(to)),
            model::Type::List(item) => Type::List(Box::new(self.ty(item))),
            model::Type::Map(_, item) => Type::Map(Kind::Text, Box::new(self.ty(item))),
        }
    }

    /// The name in the contracts.
    fn name(&self, rust: &TypeRef) -> String {
        let set = self.set;
        let name = set.find_struct(rust).map(|item| &item.name);
        let name = name.or_else(|| set.find_enum(rust).map(|item| &item.name));
        name.or_else(|| set.find_union(rust).map(|item| &item.name)).cloned().unwrap_or_default()
    }
}

/// The types that JSON Schema has.
fn kind(scalar: Scalar) -> Kind {
    match scalar {
        Scalar::Bool => Kind::Boolean,
        Scalar::Int64 => Kind::Integer,
        Scalar::Double => Kind::Number,
        Scalar::Uuid => Kind::Uuid,
        _ => Kind::Text,
    }
}
