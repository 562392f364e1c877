//! The hash of a contract's normal form: names, numbers, types and rules; no comments, no positions.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{Contracts, Field, Struct, Type, TypeRef};

/// Hash digits kept.
const DIGITS: usize = 16;

/// The fingerprint of an event and of everything it contains.
pub(crate) fn fingerprint(event: &Struct, set: &Contracts) -> String {
    // By name: the order in which a contract declares things means nothing.
    let forms: BTreeMap<_, _> = inside(&event.rust, set).iter().filter_map(|item| form(item, set)).collect();
    let mut hash = Sha256::new();
    hash.update(event.name.as_bytes());
    forms.values().for_each(|form| hash.update(form.as_bytes()));
    hash.finalize().iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// The type, and every type that its values can hold.
fn inside(item: &TypeRef, set: &Contracts) -> BTreeSet<TypeRef> {
    let (mut known, mut open) = (BTreeSet::new(), vec![item]);
    while let Some(next) = open.pop() {
        if known.insert(next.clone()) {
            let fields = set.find_struct(next).map(|item| &item.fields);
            let fields = fields.or_else(|| set.find_union(next).map(|item| &item.variants));
            open.extend(fields.into_iter().flatten().filter_map(|field| field.ty.reference()));
        }
    }
    known
}

/// Name and normal form of a type.
fn form<'a>(item: &TypeRef, set: &'a Contracts) -> Option<(&'a String, String)> {
    if let Some(item) = set.find_struct(item) {
        let event = item.event.as_ref().map(|event| (&event.topic, &event.routing_key, event.ordered));
        let layout = set.layout(&item.rust).map(|layout| (layout.closed, &layout.nullable));
        return Some((&item.name, format!("struct {} {event:?} {layout:?}\n{}", item.name, fields(&item.fields))));
    }
    if let Some(item) = set.find_union(item) {
        return Some((&item.name, format!("union {} {:?}\n{}", item.name, item.tag, fields(&item.variants))));
    }
    let item = set.find_enum(item)?;
    let mut numbers = BTreeSet::new();
    let values = lines(item.values.iter().map(|value| {
        // Of several names of a number, the first is written.
        let alias = if value.number.is_none_or(|number| numbers.insert(number)) { "" } else { " alias" };
        format!("  {} {:?}{alias}\n", value.name, value.number)
    }));
    Some((&item.name, format!("enum {}\n{values}", item.name)))
}

fn fields(fields: &[Field]) -> String {
    lines(fields.iter().map(|field| {
        let Field { name, json, number, ty, declared, presence, rules, key, attribute, personal, subject, .. } = field;
        // A oneof has no number of its own.
        let number = number.filter(|_| !matches!(ty, Type::Union(_)));
        // Types that are one in Rust, and are written differently.
        let written =
            declared.as_deref().filter(|declared| ["sint", "fixed"].iter().any(|part| declared.contains(part)));
        let written = written.map(|written| format!(" {written}")).unwrap_or_default();
        // What is seldom said is in the form only where it is, so that the others keep theirs.
        let seldom = [(*personal, " personal"), (*subject, " subject")];
        let seldom: String = seldom.iter().filter(|(said, _)| *said).map(|(_, word)| *word).collect();
        format!("  {name} {json} {number:?} {ty:?} {presence:?} {rules:?} {key} {attribute}{written}{seldom}\n")
    }))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<BTreeSet<_>>().into_iter().collect()
}
