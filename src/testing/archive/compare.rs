//! Two values of an event in canonical JSON: what was written, and what is read of it today.

use serde_json::{Map, Value};

use crate::codec::resolve;

/// How deep choices in choices are looked into.
const DEPTH: usize = 4;

/// The first field that is read as something else. What today's schema does not name does not count.
pub(super) fn difference(schema: &Value, kept: &Value, now: &Value) -> Option<String> {
    Compare { root: schema }.values(schema, (kept, now), "")
}

struct Compare<'a> {
    root: &'a Value,
}

impl Compare<'_> {
    fn values(&self, schema: &Value, (kept, now): (&Value, &Value), path: &str) -> Option<String> {
        match (kept, now) {
            (Value::Object(kept), Value::Object(now)) => self.objects(schema, (kept, now), path),
            (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
                let items = self.inside(schema, &|schema| schema.get("items")).unwrap_or(&Value::Null);
                let mut pairs = before.iter().zip(after).enumerate();
                pairs.find_map(|(n, pair)| self.values(items, pair, &format!("{path}[{n}]")))
            }
            _ if plain(kept).is_some_and(|kept| plain(now) == Some(kept)) => None,
            _ => Some(format!("field `{path}` was {kept} and is read as {now}")),
        }
    }

    fn objects(
        &self,
        schema: &Value,
        (kept, now): (&Map<String, Value>, &Map<String, Value>),
        path: &str,
    ) -> Option<String> {
        let place = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        if let Some((name, value)) = now.iter().find(|(name, _)| !kept.contains_key(*name)) {
            return Some(format!("field `{}` was not there and is read as {value}", place(name)));
        }
        kept.iter().find_map(|(name, before)| {
            let member = self.inside(schema, &|schema| member(schema, name));
            match (now.get(name), member) {
                (Some(after), member) => self.values(member.unwrap_or(&Value::Null), (before, after), &place(name)),
                (None, Some(member)) if !self.is_default(member, before) => {
                    Some(format!("field `{}` was {before} and is not read", place(name)))
                }
                (None, _) => None,
            }
        })
    }

    /// What is asked of a schema, of it or of one of its choices.
    fn inside<'b>(&'b self, schema: &'b Value, ask: &dyn Fn(&'b Value) -> Option<&'b Value>) -> Option<&'b Value> {
        let mut open = vec![(schema, 0)];
        while let Some((schema, depth)) = open.pop() {
            let schema = resolve(self.root, schema);
            if let Some(found) = ask(schema) {
                return Some(found);
            }
            let choices = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten();
            open.extend(choices.filter(|_| depth < DEPTH).map(|choice| (choice, depth + 1)));
        }
        None
    }

    /// What protobuf does not write of a field without presence.
    fn is_default(&self, schema: &Value, value: &Value) -> bool {
        let first = self.inside(schema, &|schema| schema["enum"].get(0));
        let is_empty = match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => matches!(plain(value).as_deref(), Some("null" | "0" | "0.0" | "-0.0" | "false" | "")),
        };
        is_empty || first == Some(value)
    }
}

/// The schema of a member, if the schema names it, or is that of a map or of anything at all.
fn member<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let values = schema.get("additionalProperties").filter(|values| values.is_object());
    let is_choice = ["oneOf", "anyOf", "allOf"].iter().any(|choice| schema.get(choice).is_some());
    let any = (schema.get("properties").is_none() && !is_choice).then_some(&Value::Null);
    schema["properties"].get(name).or(values).or(any)
}

/// A value that holds no others, as text: in canonical JSON, longer numbers are text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(kept: Value, now: Value) -> Option<String> {
        let line = json!({ "type": "object", "properties": { "sku": { "type": "string" } } });
        let schema = json!({
            "$ref": "#/definitions/Order",
            "definitions": { "Order": { "type": "object", "properties": {
                "id": { "type": "string" }, "amount": { "type": "string" },
                "state": { "type": "string", "enum": ["NONE", "PAID"] },
                "lines": { "type": "array", "items": line },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            } } },
        });
        difference(&schema, &kept, &now)
    }

    #[test]
    fn a_field_that_is_lost_or_read_as_another_is_named() {
        let lost = told(json!({ "id": "a", "lines": [{ "sku": "x" }] }), json!({ "id": "a", "lines": [{}] }));
        assert_eq!(lost.unwrap(), "field `lines[0].sku` was \"x\" and is not read");
        let other = told(json!({ "id": "a" }), json!({ "id": "b" }));
        assert_eq!(other.unwrap(), "field `id` was \"a\" and is read as \"b\"");
        let more = told(json!({}), json!({ "id": "b" }));
        assert_eq!(more.unwrap(), "field `id` was not there and is read as \"b\"");
        assert!(told(json!({ "labels": { "a": "b" } }), json!({ "labels": {} })).is_some());
        assert!(told(json!({ "lines": [{}, {}] }), json!({ "lines": [{}] })).is_some());
        assert!(told(json!({ "state": "PAID" }), json!({})).is_some());
    }

    #[test]
    fn what_the_contract_no_longer_has_and_what_is_written_in_another_way_does_not_count() {
        assert_eq!(told(json!({ "id": "a", "discount": 5 }), json!({ "id": "a" })), None);
        assert_eq!(told(json!({ "amount": 5 }), json!({ "amount": "5" })), None);
        assert_eq!(told(json!({ "amount": 0, "state": "NONE", "lines": [] }), json!({})), None);
    }
}
