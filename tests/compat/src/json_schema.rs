//! JSON Schema by the crate `jsonschema`: what is written by one contract, and read by another.

use jsonschema::Validator;
use serde_json::{Map, Value as Json, json};

use crate::{
    contract::{Contract, Field, Label, Object, Ty},
    value::{Fields, Value},
};

/// The codec of one contract.
pub struct Codec {
    contract: Contract,
    validator: Validator,
}

impl Codec {
    /// The codec of a contract; it must be a schema.
    pub fn of(contract: &Contract) -> Self {
        let mut schema = contract.schema("compat.v1");
        // It is no URI, which only matters to other files.
        schema.as_object_mut().expect("it is an object").remove("$id");
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("it is a schema");
        Self { contract: contract.clone(), validator }
    }

    /// The JSON of an event.
    pub fn write(&self, fields: &Fields) -> Json {
        object(&self.contract, self.contract.event(), fields)
    }

    /// Does a reader take it, and as what was meant? `None` where it refuses it.
    pub fn read(&self, event: &Json) -> Option<bool> {
        let mut strict = event.clone();
        lenient(&self.contract, self.contract.event(), &mut strict);
        if !self.validator.is_valid(&strict) {
            return None;
        }
        Some(is_exact(&self.contract, self.contract.event(), event))
    }
}

fn object(contract: &Contract, object: &Object, fields: &Fields) -> Json {
    let members = object.fields.iter().filter_map(|field| match fields.get(&field.name) {
        Some(value) => Some((field.name.clone(), json_of(contract, field, value))),
        // What must be there and is not is null.
        None if field.required => Some((field.name.clone(), Json::Null)),
        None => None,
    });
    members.collect::<Map<_, _>>().into()
}

fn json_of(contract: &Contract, field: &Field, value: &Value) -> Json {
    match value {
        Value::Int(number) => json!(i64::try_from(*number).expect("an integer has 64 bits")),
        Value::Float(number) => json!(number),
        Value::Bool(truth) => json!(truth),
        Value::Text(text) => json!(text),
        Value::Name(name, _) => json!(name),
        Value::List(items) => items.iter().map(|item| json_of(contract, field, item)).collect::<Vec<_>>().into(),
        Value::Map(items) => items
            .iter()
            .map(|(name, item)| (name.clone(), json_of(contract, field, item)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Object(fields) => {
            let Ty::Named(name) = &field.ty else { return Json::Null };
            object(contract, contract.object(name).expect("it is there"), fields)
        }
        Value::Union(tag, fields) => {
            let Ty::Named(name) = &field.ty else { return Json::Null };
            let union = contract.union(name).expect("it is there");
            let (_, to) = union.variants.iter().find(|(value, _)| value == tag).expect("it is one of them");
            let mut json = object(contract, contract.object(to).expect("it is there"), fields);
            json[&union.tag] = json!(tag);
            json
        }
        Value::Bytes(_) => unreachable!("JSON Schema has no bytes"),
    }
}

/// tegami reads null as absent where a property is not required.
fn lenient(contract: &Contract, object: &Object, json: &mut Json) {
    let Some(members) = json.as_object_mut() else { return };
    for field in &object.fields {
        if !field.required && members.get(&field.name).is_some_and(Json::is_null) {
            members.remove(&field.name);
        }
        if let Some(value) = members.get_mut(&field.name) {
            each(contract, field, value, &mut |object, value| lenient(contract, object, value));
        }
    }
}

/// The objects that a value holds.
fn each(contract: &Contract, field: &Field, value: &mut Json, visit: &mut dyn FnMut(&Object, &mut Json)) {
    let Ty::Named(name) = &field.ty else { return };
    let mut one = |value: &mut Json| {
        if let Some(object) = contract.object(name) {
            visit(object, value);
        } else if let Some(union) = contract.union(name) {
            let tag = value[&union.tag].as_str().map(str::to_owned);
            let variant = union.variants.iter().find(|(value, _)| Some(value) == tag.as_ref());
            variant.and_then(|(_, to)| contract.object(to)).into_iter().for_each(|object| visit(object, value));
        }
    };
    match (&field.label, value) {
        (Label::Many, Json::Array(items)) => items.iter_mut().for_each(one),
        (Label::Map(_), Json::Object(items)) => items.values_mut().for_each(one),
        (_, value) => one(value),
    }
}

/// Beyond 2^53 a whole number is another one once it is read as a float.
fn is_exact(contract: &Contract, object: &Object, json: &Json) -> bool {
    let fits = |value: &Json| value.as_i64().is_none_or(|number| number as f64 as i128 == i128::from(number));
    object.fields.iter().all(|field| {
        let Some(value) = json.get(&field.name) else { return true };
        let mut exact = true;
        if field.ty == Ty::Scalar("number") {
            exact = match value {
                Json::Array(items) => items.iter().all(fits),
                Json::Object(items) => items.values().all(fits),
                value => fits(value),
            };
        }
        each(contract, field, &mut value.clone(), &mut |object, value| exact &= is_exact(contract, object, value));
        exact
    })
}
