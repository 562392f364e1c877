//! The paths of what is personal in an event.

use std::collections::BTreeSet;

use super::{Contracts, Dialect, Field, Struct, Type, TypeRef};

/// The most paths that are followed in one event.
pub(crate) const MOST_PATHS: usize = 1_000;

/// The most types that are looked into for them: where types hold one another, most ways lead nowhere.
const MOST_WAYS: usize = 10_000;

/// Every personal field, by path, in the order of their names: `email`, `lines.article`. `None` where there are more
/// than anyone follows: where types hold one another, their number doubles with each.
pub(crate) fn personal_paths(event: &Struct, set: &Contracts) -> Option<Vec<String>> {
    let mut walk = Walk { set, ways: Vec::new(), found: BTreeSet::new() };
    walk.go(None, "", &event.rust);
    let mut next = 0;
    while next < walk.ways.len() {
        walk.inside(next);
        next += 1;
        if walk.found.len() > MOST_PATHS || walk.ways.len() > MOST_WAYS {
            return None;
        }
    }
    Some(walk.found.into_iter().collect())
}

/// A way to a type: the field that holds it, and the way to the type which has that.
struct Way<'a> {
    before: Option<usize>,
    /// Empty where the path has no name for it.
    name: &'a str,
    item: &'a TypeRef,
}

struct Walk<'a> {
    set: &'a Contracts,
    ways: Vec<Way<'a>>,
    found: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    /// Notes a way, unless it leads to nothing personal or back into a type on it.
    fn go(&mut self, before: Option<usize>, name: &'a str, item: &'a TypeRef) {
        let is_around = self.back(before).any(|way| way.item == item);
        if !is_around && self.set.has_personal(item) {
            self.ways.push(Way { before, name, item });
        }
    }

    /// The ways that this one goes on from, itself included, the last first.
    fn back(&self, from: Option<usize>) -> impl Iterator<Item = &Way<'a>> {
        let way = |at: usize| &self.ways[at];
        std::iter::successors(from.map(way), move |last| last.before.map(way))
    }

    fn inside(&mut self, at: usize) {
        let item = self.ways[at].item;
        if let Some(item) = self.set.find_struct(item) {
            item.fields.iter().for_each(|field| self.field(at, field, item.dialect));
        } else if let Some(item) = self.set.find_union(item) {
            // JSON Schema writes what is in a variant beside the discriminator.
            let is_flat = item.dialect == Dialect::JsonSchema;
            for variant in &item.variants {
                match (is_flat, variant.ty.reference()) {
                    (true, Some(to)) => self.go(Some(at), "", to),
                    _ => self.field(at, variant, item.dialect),
                }
            }
        }
    }

    fn field(&mut self, at: usize, field: &'a Field, dialect: Dialect) {
        // The names of a oneof's members stand for it.
        let is_oneof = matches!((&field.ty, dialect), (Type::Union(_), Dialect::Protobuf));
        let name = if is_oneof { "" } else { field.name.as_str() };
        if field.personal {
            let names = std::iter::once(name).chain(self.back(Some(at)).map(|way| way.name));
            let mut names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
            names.reverse();
            self.found.insert(names.join("."));
        } else if let Some(to) = field.ty.reference() {
            self.go(Some(at), name, to);
        }
    }
}
