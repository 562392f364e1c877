//! The paths of the fields of an event: what a service with this contract reads.

use std::collections::BTreeSet;

use super::{Contracts, Dialect, Field, Struct, Type, TypeRef};

/// So many at most; where there would be more, a path stands for all that is in it.
const MOST: usize = 100;

/// Where a path ends.
struct Path {
    text: String,
    /// The struct that can be told in parts.
    inside: Option<TypeRef>,
    /// The structs on the way, for types may contain themselves.
    above: BTreeSet<TypeRef>,
}

/// Every field, and those of what is in them in place of it: `order_id`, `lines.article`. By number, then by name.
pub(crate) fn paths(event: &Struct, set: &Contracts) -> Vec<String> {
    let top = Path { text: String::new(), inside: Some(event.rust.clone()), above: BTreeSet::new() };
    let mut paths = inside(&top, set);
    loop {
        let deeper: Vec<_> = paths.iter().flat_map(|path| deeper(path, set)).collect();
        if deeper.len() > MOST || deeper.iter().map(|path| &path.text).eq(paths.iter().map(|path| &path.text)) {
            return paths.into_iter().map(|path| path.text).collect();
        }
        paths = deeper;
    }
}

/// What stands in place of a path, one step deeper.
fn deeper(path: &Path, set: &Contracts) -> Vec<Path> {
    let parts = inside(path, set);
    let itself = || Path { text: path.text.clone(), inside: None, above: BTreeSet::new() };
    if parts.is_empty() { vec![itself()] } else { parts }
}

fn inside(path: &Path, set: &Contracts) -> Vec<Path> {
    let Some(item) = path.inside.as_ref().and_then(|rust| set.find_struct(rust)) else { return Vec::new() };
    let mut above = path.above.clone();
    above.insert(item.rust.clone());
    let mut fields: Vec<_> = item.fields.iter().flat_map(|field| members(field, item.dialect, set)).collect();
    fields.sort_by_key(|field| (field.number, &field.name));
    let path = |field: &Field| Path {
        text: if path.text.is_empty() { field.name.clone() } else { format!("{}.{}", path.text, field.name) },
        inside: field.ty.reference().filter(|to| !above.contains(to)).cloned(),
        above: above.clone(),
    };
    fields.into_iter().map(path).collect()
}

/// A field, or each member of a oneof.
fn members<'a>(field: &'a Field, dialect: Dialect, set: &'a Contracts) -> Vec<&'a Field> {
    match (&field.ty, dialect) {
        (Type::Union(to), Dialect::Protobuf) => {
            set.find_union(to).map_or_else(Vec::new, |union| union.variants.iter().collect())
        }
        _ => vec![field],
    }
}
