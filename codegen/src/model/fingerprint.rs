//! The hash of a contract's normal form: names, numbers, types and rules; no comments, no positions.

use std::{collections::BTreeSet, fmt::Write};

use sha2::{Digest, Sha256};

use super::{Contracts, Field, Struct, TypeRef};

/// Hash digits kept.
const DIGITS: usize = 16;

/// The fingerprint of an event and of everything it contains.
pub(crate) fn fingerprint(event: &Struct, set: &Contracts) -> String {
    let mut form = Form { set, text: String::new(), done: BTreeSet::new() };
    form.describe(&event.rust);
    let digest = Sha256::digest(form.text.as_bytes());
    digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// The normal form so far, and what is in it already.
struct Form<'a> {
    set: &'a Contracts,
    text: String,
    done: BTreeSet<TypeRef>,
}

impl Form<'_> {
    fn describe(&mut self, item: &TypeRef) {
        if !self.done.insert(item.clone()) {
            return;
        }
        let set = self.set;
        if let Some(item) = set.find_struct(item) {
            let event = item.event.as_ref().map(|event| (&event.topic, &event.routing_key, event.ordered));
            self.line(format_args!("struct {} {event:?}", item.name));
            if let Some(layout) = set.layout(&item.rust) {
                self.line(format_args!("  {} {:?}", layout.closed, layout.nullable));
            }
            self.fields(&item.fields);
        } else if let Some(item) = set.find_union(item) {
            self.line(format_args!("union {} {:?}", item.name, item.tag));
            self.fields(&item.variants);
        } else if let Some(item) = set.find_enum(item) {
            self.line(format_args!("enum {}", item.name));
            item.values.iter().for_each(|value| self.line(format_args!("  {} {:?}", value.name, value.number)));
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            let Field { name, json, number, ty, presence, rules, key, attribute, .. } = field;
            self.line(format_args!("  {name} {json} {number:?} {ty:?} {presence:?} {rules:?} {key} {attribute}"));
        }
        for inner in fields.iter().filter_map(|field| field.ty.reference()) {
            self.describe(inner);
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("writing to a String cannot fail");
    }
}
