//! What only shows when every type is read: branches of a union, and types that contain themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::Reader;
use crate::model::{Field, Presence, Type, TypeRef};

impl Reader<'_> {
    pub(crate) fn finish(&mut self) {
        self.strip_discriminators();
        let reach = Reach::of(self);
        for package in self.packages.values_mut() {
            for item in &mut package.structs {
                let optional = item.fields.iter_mut().filter(|field| field.presence == Presence::Option);
                optional.filter(|field| reach.is_cyclic(&item.rust, field)).for_each(boxed);
            }
            for item in &mut package.unions {
                item.variants.iter_mut().filter(|field| reach.is_cyclic(&item.rust, field)).for_each(boxed);
            }
        }
        self.refuse_endless();
    }

    /// A union writes the discriminator of its branches, so their structs have no field for it.
    fn strip_discriminators(&mut self) {
        let branches = std::mem::take(&mut self.branches);
        for item in self.packages.values_mut().flat_map(|package| &mut package.structs) {
            let Some(tag) = branches.get(&item.rust) else { continue };
            let alone = self.alone.get(&item.rust).or(item.event.is_some().then_some(&item.at));
            if let Some(at) = alone {
                let reason = format!("`{}` is a branch of a `oneOf`, and used by itself too", item.name);
                self.mistakes.add(at, reason, "make a copy of it in `$defs`, without the discriminator");
            }
            for field in item.fields.iter().filter(|field| field.name == *tag && field.personal) {
                let reason = format!("`{tag}` tells the branches of a `oneOf` apart, and is personal");
                self.mistakes.add(&field.at, reason, "mark what is in the branches");
            }
            item.fields.retain(|field| field.name != *tag);
        }
        let tags: BTreeSet<_> = branches.iter().map(|(rust, tag)| discriminator(rust, tag)).collect();
        for package in self.packages.values_mut() {
            package.enums.retain(|item| !tags.contains(&item.rust));
        }
    }

    /// What is left are required properties: no value of such a type could end.
    fn refuse_endless(&mut self) {
        let reach = Reach::of(self);
        for item in self.packages.values().flat_map(|package| &package.structs) {
            for field in item.fields.iter().filter(|field| reach.is_cyclic(&item.rust, field)) {
                let reason = format!("`{}` always contains another of itself, through `{}`", item.name, field.name);
                self.mistakes.add(&field.at, reason, "leave the property out of `required`");
            }
        }
    }
}

fn boxed(field: &mut Field) {
    field.presence = Presence::Boxed;
}

/// The enum that was made for a discriminator.
fn discriminator(rust: &TypeRef, tag: &str) -> TypeRef {
    let mut path = rust.path.clone();
    if let Some(own) = path.last_mut() {
        *own = crate::emit::snake(own);
    }
    path.push(crate::emit::camel(tag));
    TypeRef { package: rust.package.clone(), path }
}

/// Which types contain which, without a list, a map or a box in between.
struct Reach(BTreeMap<TypeRef, BTreeSet<TypeRef>>);

impl Reach {
    fn of(reader: &Reader<'_>) -> Self {
        let packages = || reader.packages.values();
        let structs = packages().flat_map(|package| &package.structs).map(|item| (&item.rust, &item.fields));
        let unions = packages().flat_map(|package| &package.unions).map(|item| (&item.rust, &item.variants));
        let edges =
            structs.chain(unions).map(|(rust, fields)| (rust.clone(), fields.iter().filter_map(direct).collect()));
        Self(edges.collect())
    }

    /// Does the field's type contain, however deep, the type that has the field?
    fn is_cyclic(&self, owner: &TypeRef, field: &Field) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), Vec::from_iter(direct(field)));
        while let Some(next) = open.pop() {
            if next == *owner {
                return true;
            }
            if let Some(inner) = self.0.get(&next).filter(|_| seen.insert(next.clone())) {
                open.extend(inner.iter().cloned());
            }
        }
        false
    }
}

fn direct(field: &Field) -> Option<TypeRef> {
    match &field.ty {
        Type::Struct(to) | Type::Union(to) if field.presence != Presence::Boxed => Some(to.clone()),
        _ => None,
    }
}
