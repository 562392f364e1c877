//! Whether a value keeps the rules of its contract: what tegami asks on publish and on decode, told once more.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    contract::{Contract, Dialect, Field, Label, Object, Rules, Ty},
    sample,
    value::{Fields, Value, default_of},
};

thread_local! {
    static PATTERNS: RefCell<BTreeMap<&'static str, regex_lite::Regex>> = RefCell::default();
}

/// Does the object keep every rule?
pub fn is_valid(contract: &Contract, object: &Object, fields: &Fields) -> bool {
    object.fields.iter().all(|field| {
        let value = fields.get(&field.name);
        match contract.dialect {
            Dialect::Protobuf => proto(contract, field, value),
            Dialect::JsonSchema => match value {
                None => !field.required || field.nullable,
                Some(value) => keeps(contract, field, value, &field.rules),
            },
        }
    })
}

fn proto(contract: &Contract, field: &Field, value: Option<&Value>) -> bool {
    let is_message = matches!(&field.ty, Ty::Named(name) if contract.object(name).is_some());
    let has_presence =
        field.label == Label::Optional || field.oneof.is_some() || (is_message && field.label == Label::One);
    let default;
    let value = match value {
        Some(value) => value,
        None if has_presence => return !field.required,
        None => {
            default = default_of(field, contract);
            &default
        }
    };
    let is_filled = match value {
        Value::Text(text) => !text.is_empty(),
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
        Value::Name(_, number) => *number != 0,
        _ => true,
    };
    (is_filled || !field.required) && keeps(contract, field, value, &field.rules)
}

fn keeps(contract: &Contract, field: &Field, value: &Value, rules: &Rules) -> bool {
    let within = |length: usize| {
        rules.min_length.is_none_or(|least| length as u64 >= least)
            && rules.max_length.is_none_or(|most| length as u64 <= most)
    };
    let number = |number: f64| {
        rules.minimum.is_none_or(|bound| number >= bound)
            && rules.maximum.is_none_or(|bound| number <= bound)
            && rules.above.is_none_or(|bound| number > bound)
            && rules.below.is_none_or(|bound| number < bound)
    };
    let items = rules.items.as_deref().cloned().unwrap_or_default();
    match value {
        Value::Text(text) => {
            let matches = |pattern: &'static str| {
                PATTERNS.with_borrow_mut(|known| {
                    let compile = || regex_lite::Regex::new(pattern).expect("it is one");
                    known.entry(pattern).or_insert_with(compile).is_match(text)
                })
            };
            within(text.chars().count())
                && rules.pattern.is_none_or(matches)
                && rules.format.is_none_or(|format| is_of(format, text))
        }
        Value::Bytes(bytes) => within(bytes.len()),
        Value::Int(whole) => number(*whole as f64),
        Value::Float(float) => number(*float),
        Value::List(list) => {
            let distinct: BTreeSet<_> = list.iter().map(|item| format!("{item:?}")).collect();
            within(list.len())
                && (!rules.unique || distinct.len() == list.len())
                && list.iter().all(|item| keeps(contract, field, item, &items))
        }
        Value::Map(map) => within(map.len()) && map.values().all(|item| keeps(contract, field, item, &items)),
        Value::Object(fields) => match &field.ty {
            Ty::Named(name) => contract.object(name).is_none_or(|object| is_valid(contract, object, fields)),
            Ty::Scalar(_) => true,
        },
        Value::Union(tag, fields) => match &field.ty {
            Ty::Named(name) => {
                let variants = contract.union(name).map_or(&[][..], |union| &union.variants);
                let object =
                    variants.iter().find(|(value, _)| value == tag).and_then(|(_, object)| contract.object(object));
                object.is_some_and(|object| is_valid(contract, object, fields))
            }
            Ty::Scalar(_) => true,
        },
        Value::Bool(_) | Value::Name(..) => true,
    }
}

/// The samples are few: each is known.
fn is_of(format: &str, text: &str) -> bool {
    match format {
        "date" => sample::DATES.contains(&text),
        "email" => sample::EMAILS.contains(&text),
        "uri" => sample::URIS.contains(&text),
        _ => false,
    }
}
