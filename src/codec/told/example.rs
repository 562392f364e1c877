//! A made-up event that fits a schema. Whether it does, the contract is asked: rules can be harder than this knows.

use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::{Told, Tried, resolve};

/// How deep values in values go that nobody asks for, and how deep those that are required.
const DEPTH: [usize; 2] = [4, 16];
/// The longest text that is made up, and the longest list.
const LONGEST: usize = 64;
/// How many values are made up for one event; a type may ask for more, or for itself.
const MOST: usize = 1_000;

/// Which members an object gets.
#[derive(Clone, Copy, PartialEq)]
enum Members {
    All,
    Required,
}

/// An example, if one was found that the contract takes.
pub(super) fn of(schema: &Value, told: &Told) -> Option<Tried> {
    [Members::All, Members::Required].into_iter().find_map(|members| {
        let maker = Maker { root: schema, members, left: Cell::new(MOST) };
        let example = maker.make(schema, 0);
        if maker.left.get() == 0 {
            return None;
        }
        told.tried(&example)
    })
}

struct Maker<'a> {
    root: &'a Value,
    members: Members,
    left: Cell<usize>,
}

impl Maker<'_> {
    fn make(&self, schema: &Value, depth: usize) -> Value {
        let left = self.left.get().checked_sub(1).filter(|_| depth < DEPTH[1]);
        let Some(left) = left else { return Value::Null };
        self.left.set(left);
        let schema = resolve(self.root, schema);
        // The first of protobuf's choices is what nobody chose: it would not be written.
        let chosen = schema["enum"].get(1).or(schema["enum"].get(0));
        let given = schema["examples"].get(0).or(schema.get("const")).or(chosen);
        if let Some(given) = given {
            return given.clone();
        }
        let choices = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
        if let Some(choice) = choices.and_then(|choices| choices.first()) {
            return self.make(choice, depth + 1);
        }
        let kind = schema["type"].as_str().or(schema["type"].get(0).and_then(Value::as_str));
        match kind {
            Some("object") => self.object(schema, depth),
            Some("array") => self.list(schema, depth),
            Some("string") => text(schema).into(),
            Some("integer" | "number") => number(schema),
            Some("boolean") => true.into(),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.contains(&name.into()));
        let wanted = |name: &str| required(name) || (self.members == Members::All && depth < DEPTH[0]);
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut object: Map<String, Value> = properties
            .filter(|(name, _)| wanted(name))
            .map(|(name, schema)| (name.clone(), self.make(schema, depth + 1)))
            .collect();
        let values = &schema["additionalProperties"];
        if values.is_object() && self.members == Members::All && depth < DEPTH[0] {
            object.insert("a".to_owned(), self.make(values, depth + 1));
            object.sort_keys();
        }
        object.into()
    }

    fn list(&self, schema: &Value, depth: usize) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let count = if depth < DEPTH[0] { least.max(1) } else { least };
        let count = usize::try_from(count).unwrap_or(LONGEST).min(LONGEST);
        let items = (0..count).take_while(|_| self.left.get() > 0);
        items.map(|_| self.make(&schema["items"], depth + 1)).collect::<Vec<_>>().into()
    }
}

fn text(schema: &Value) -> String {
    let known = match schema["format"].as_str() {
        Some("date-time") => "2030-06-01T12:00:00Z",
        Some("date") => "2030-06-01",
        Some("time") => "12:00:00Z",
        Some("email") => "name@example.com",
        Some("uri") => "https://example.com/",
        Some("uuid") => "67e55044-10b1-426f-9247-bb680e5fe0c8",
        _ if schema["contentEncoding"] == "base64" => "AAEC",
        _ if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("[1-9][0-9]")) => "1",
        _ => "text",
    };
    let bound = |name: &str, none: usize| {
        schema[name].as_u64().map_or(none, |bound| usize::try_from(bound).unwrap_or(LONGEST).min(LONGEST))
    };
    let (least, most) = (bound("minLength", 0), bound("maxLength", usize::MAX));
    known.chars().chain(std::iter::repeat('x')).take(known.len().max(least).min(most)).collect()
}

/// The least number that may be, or 1.
fn number(schema: &Value) -> Value {
    let bound = |name: &str| schema[name].as_f64();
    let step = bound("multipleOf").unwrap_or(1.0);
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|bound| bound + step));
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|bound| bound - step));
    let chosen = 1_f64.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX));
    let steps = schema["type"] == "integer" || schema["multipleOf"].is_number();
    let chosen = if steps { (chosen / step).ceil() * step } else { chosen };
    match schema["type"] == "integer" || chosen.fract() == 0.0 {
        true => json!(chosen as i64),
        false => json!(chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::{DecodeError, DecodeErrorKind, Payload},
        event::Encoding,
    };

    const TAKEN: Recode = |payload, _| Ok(payload.clone());
    const REFUSED: Recode = |_, _| Err(DecodeError::new(DecodeErrorKind::Undecodable, "no"));

    type Recode = fn(&Payload, Encoding) -> Result<Payload, DecodeError>;

    fn told(recode: Recode) -> Told {
        let schema = || Value::Bool(true).try_into().expect("it is a schema");
        Told { schema, recode, shown: |payload, _| Ok(payload.clone()), personal: None }
    }

    fn example(schema: Value, recode: Recode) -> Option<Value> {
        of(&schema, &told(recode)).map(|tried| serde_json::from_str(&tried.json).expect("JSON"))
    }

    #[test]
    fn values_keep_to_the_bounds_of_their_schema() {
        let schema = json!({ "type": "object", "properties": {
            "above": { "type": "integer", "exclusiveMinimum": 4 },
            "below": { "type": "number", "maximum": -0.5 },
            "step": { "type": "integer", "minimum": 7, "multipleOf": 5 },
            "long": { "type": "string", "minLength": 6 },
            "short": { "type": "string", "maxLength": 2 },
            "two": { "type": "array", "items": { "type": "boolean" }, "minItems": 2 },
            "map": { "type": "object", "additionalProperties": { "type": "string" } },
        }});
        let expected = json!({
            "above": 5, "below": -0.5, "step": 10, "long": "textxx", "short": "te", "two": [true, true],
            "map": { "a": "text" },
        });
        assert_eq!(example(schema, TAKEN), Some(expected));
    }

    #[test]
    fn what_the_contract_does_not_take_is_left_out_or_not_shown_at_all() {
        let schema = json!({ "type": "object", "required": ["a"], "properties": {
            "a": { "type": "boolean" }, "b": { "type": "string", "pattern": "^z$" },
        }});
        let without_b: Recode = |payload, _| match payload.bytes.windows(3).any(|bytes| bytes == b"\"b\"") {
            true => Err(DecodeError::new(DecodeErrorKind::Undecodable, "b")),
            false => Ok(payload.clone()),
        };
        assert_eq!(example(schema.clone(), without_b), Some(json!({ "a": true })));
        assert_eq!(example(schema, REFUSED), None);
    }

    #[test]
    fn types_that_ask_for_themselves_or_for_too_much_end() {
        let itself = json!({ "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#" } } });
        assert!(example(itself, TAKEN).is_some());
        let choice = json!({ "oneOf": [{ "$ref": "#" }] });
        assert_eq!(example(choice, TAKEN), Some(Value::Null));
        let list = json!({ "type": "array", "minItems": u64::MAX, "items": { "$ref": "#" } });
        assert_eq!(of(&list, &told(TAKEN)), None);
    }
}
