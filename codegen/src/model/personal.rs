//! The paths of what is personal in an event.

use std::collections::BTreeSet;

use super::{Contracts, Dialect, Field, Struct, Type, TypeRef};

/// Every personal field, by path, in the order of their names: `email`, `lines.article`.
pub(crate) fn personal_paths(event: &Struct, set: &Contracts) -> Vec<String> {
    let mut walk = Walk { set, above: Vec::new(), found: BTreeSet::new() };
    walk.inside("", &event.rust);
    walk.found.into_iter().collect()
}

struct Walk<'a> {
    set: &'a Contracts,
    /// The types on the way, for types may contain themselves.
    above: Vec<&'a TypeRef>,
    found: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn inside(&mut self, path: &str, item: &'a TypeRef) {
        if self.above.contains(&item) || !self.set.has_personal(item) {
            return;
        }
        self.above.push(item);
        if let Some(item) = self.set.find_struct(item) {
            item.fields.iter().for_each(|field| self.field(path, field, item.dialect));
        } else if let Some(item) = self.set.find_union(item) {
            // JSON Schema writes what is in a variant beside the discriminator.
            let is_flat = item.dialect == Dialect::JsonSchema;
            for variant in &item.variants {
                match (is_flat, variant.ty.reference()) {
                    (true, Some(to)) => self.inside(path, to),
                    _ => self.field(path, variant, item.dialect),
                }
            }
        }
        self.above.pop();
    }

    fn field(&mut self, path: &str, field: &'a Field, dialect: Dialect) {
        // The names of a oneof's members stand for it.
        let here = match (&field.ty, dialect) {
            (Type::Union(_), Dialect::Protobuf) => path.to_owned(),
            _ if path.is_empty() => field.name.clone(),
            _ => format!("{path}.{}", field.name),
        };
        if field.personal {
            self.found.insert(here);
        } else if let Some(to) = field.ty.reference() {
            self.inside(&here, to);
        }
    }
}
