//! Values of contracts, and whether two of them say the same.

use std::collections::BTreeMap;

use crate::contract::{Contract, Dialect, Field, Label, Object, Ty};

/// The fields of an object that are there, by name.
pub type Fields = BTreeMap<String, Value>;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Int(i128),
    /// Another number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A value of an enum, by name where it has one, and number.
    Name(Option<String>, i32),
    /// A message or object.
    Object(Fields),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
    /// One of several objects, with the tag's value.
    Union(String, Fields),
}

/// What a field that is not there stands for.
pub fn default_of(field: &Field, contract: &Contract) -> Value {
    match (&field.label, &field.ty) {
        (Label::Many, _) => Value::List(Vec::new()),
        (Label::Map(_), _) => Value::Map(BTreeMap::new()),
        (_, Ty::Named(name)) => match contract.find_enum(name) {
            Some(item) => {
                let name = item.values.iter().find(|(_, number)| *number == 0).map(|(name, _)| name.clone());
                Value::Name(name, 0)
            }
            None => Value::Object(Fields::new()),
        },
        (_, Ty::Scalar(word)) => match *word {
            "bool" | "boolean" => Value::Bool(false),
            "float" | "double" | "number" => Value::Float(0.0),
            "string" | "uuid" | "date-time" => Value::Text(String::new()),
            "bytes" => Value::Bytes(Vec::new()),
            _ => Value::Int(0),
        },
    }
}

/// The same field on the other side: by name, or else by number.
pub fn counterpart<'a>(field: &Field, own: &Object, other: &'a Object, dialect: Dialect) -> Option<&'a Field> {
    let by_name = other.fields.iter().find(|other| other.name == field.name);
    by_name.or_else(|| {
        let by_number = other.fields.iter().find(|other| other.number == field.number)?;
        let is_free = own.fields.iter().all(|own| own.name != by_number.name);
        (dialect == Dialect::Protobuf && is_free).then_some(by_number)
    })
}

/// Did the reader get, in each field that is the same on both sides, what the writer meant? The answer is the first field
/// where it did not.
pub fn difference(written: (&Contract, &Object, &Fields), read: (&Contract, &Object, &Fields)) -> Option<String> {
    let (theirs, their_object, their_fields) = written;
    let (ours, our_object, our_fields) = read;
    our_object.fields.iter().find_map(|field| {
        let Some(same) = counterpart(field, our_object, their_object, ours.dialect) else {
            // Nobody wrote it: what is in it is another field's.
            let value = our_fields.get(&field.name)?;
            return (*value != default_of(field, ours)).then(|| field.name.clone());
        };
        let meant = their_fields.get(&same.name).cloned();
        let got = our_fields.get(&field.name).cloned();
        if meant.is_none() && got.is_none() {
            let defaults = (default_of(same, theirs), default_of(field, ours));
            let is_name = matches!(defaults, (Value::Name(..), Value::Name(..)));
            let is_plain = same.label == Label::One && same.oneof.is_none() && ours.dialect == Dialect::Protobuf;
            return (is_name && is_plain && !is_same((theirs, &defaults.0), (ours, &defaults.1), (same, field)))
                .then(|| field.name.clone());
        }
        let meant = meant.unwrap_or_else(|| default_of(same, theirs));
        let got = got.unwrap_or_else(|| default_of(field, ours));
        (!is_same((theirs, &meant), (ours, &got), (same, field))).then(|| field.name.clone())
    })
}

fn is_same((theirs, meant): (&Contract, &Value), (ours, got): (&Contract, &Value), fields: (&Field, &Field)) -> bool {
    match (meant, got) {
        (Value::Object(meant), Value::Object(got)) => {
            let object = |contract: &'_ Contract, field: &Field| match &field.ty {
                Ty::Named(name) => contract.object(name).cloned(),
                Ty::Scalar(_) => None,
            };
            match object(theirs, fields.0).zip(object(ours, fields.1)) {
                Some((from, into)) => difference((theirs, &from, meant), (ours, &into, got)).is_none(),
                None => meant == got,
            }
        }
        (Value::List(meant), Value::List(got)) => {
            meant.len() == got.len()
                && meant.iter().zip(got).all(|(meant, got)| is_same((theirs, meant), (ours, got), fields))
        }
        (Value::Map(meant), Value::Map(got)) => {
            // In protobuf a truth value is a number.
            let by_number = |key: &String| match key.as_str() {
                "true" => "1".to_owned(),
                "false" => "0".to_owned(),
                key => key.to_owned(),
            };
            let got: BTreeMap<_, _> = got.iter().map(|(key, value)| (by_number(key), value)).collect();
            let is_there = |(key, meant): (&String, &Value)| {
                got.get(&by_number(key)).is_some_and(|got| is_same((theirs, meant), (ours, got), fields))
            };
            meant.len() == got.len() && meant.iter().all(is_there)
        }
        (Value::Name(meant, number), Value::Name(got, other)) => {
            // A number without a name is still the number.
            let meant_name = |name: &Option<String>| name.is_none() || is_named(theirs, fields.0, name, *number);
            let is_known = is_named(ours, fields.1, meant, *other) || (got.is_some() && meant_name(got));
            if got.is_some() && meant.is_some() { is_known } else { number == other }
        }
        (Value::Name(_, number), Value::Int(other)) | (Value::Int(other), Value::Name(_, number)) => {
            i128::from(*number) == *other
        }
        (Value::Bool(truth), Value::Name(_, number)) | (Value::Name(_, number), Value::Bool(truth)) => {
            i32::from(*truth) == *number
        }
        (Value::Bool(truth), Value::Int(number)) | (Value::Int(number), Value::Bool(truth)) => {
            i128::from(*truth) == *number
        }
        (Value::Text(text), Value::Bytes(bytes)) => text.as_bytes() == bytes,
        (Value::Float(meant), Value::Float(got)) => {
            meant.to_bits() == got.to_bits() || (meant.is_nan() && got.is_nan())
        }
        (meant, got) => meant == got,
    }
}

/// Is this name one of the number's, aliases among them?
fn is_named(contract: &Contract, field: &Field, name: &Option<String>, number: i32) -> bool {
    let Ty::Named(ty) = &field.ty else { return false };
    let values = contract.find_enum(ty).map_or(&[][..], |item| &item.values);
    values.iter().any(|(known, other)| Some(known) == name.as_ref() && *other == number)
}
