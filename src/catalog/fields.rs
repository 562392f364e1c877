//! A JSON Schema as rows for people: each field with its type and its rules.

use serde_json::{Map, Value};

use crate::codec::resolve;

/// How deep fields in fields are shown; a type may hold itself.
const DEPTH: usize = 4;
/// How many fields are shown at most, with those in fields.
const MOST: usize = 500;
/// What whole numbers of 64 bits look like in JSON: text, for JavaScript has no such numbers.
const WHOLE: [&str; 2] = ["^-?(0|[1-9][0-9]{0,18})$", "^(0|[1-9][0-9]{0,19})$"];

/// One field.
#[derive(Debug, PartialEq)]
pub(super) struct Field {
    /// Its name; of one in another, with that one's before it.
    pub(super) path: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) rules: Vec<String>,
    pub(super) comment: String,
}

/// The fields of an event.
pub(super) fn of(schema: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    gather(&mut fields, Place { root: schema, prefix: "", depth: 0 }, schema);
    fields
}

/// Where fields are looked for.
#[derive(Clone, Copy)]
struct Place<'a> {
    root: &'a Value,
    prefix: &'a str,
    depth: usize,
}

fn gather(fields: &mut Vec<Field>, place: Place<'_>, object: &Value) {
    if place.depth == DEPTH {
        return;
    }
    let (object, inside) = (resolve(place.root, object), Place { depth: place.depth + 1, ..place });
    for part in object["allOf"].as_array().into_iter().flatten() {
        gather(fields, inside, part);
    }
    for (name, schema) in object["properties"].as_object().into_iter().flatten() {
        if fields.len() == MOST {
            return;
        }
        let (path, known) = (format!("{}{name}", place.prefix), resolve(place.root, schema));
        let comment = [schema, known].into_iter().find_map(|schema| schema["description"].as_str());
        let required = object["required"].as_array().is_some_and(|names| names.contains(&Value::from(&**name)));
        fields.push(Field {
            kind: kind(place.root, schema, 0),
            required,
            rules: personal(schema).into_iter().chain(rules(known)).collect(),
            comment: comment.unwrap_or_default().to_owned(),
            path: path.clone(),
        });
        let (inner, mark) = innermost(place.root, known);
        gather(fields, Place { prefix: &format!("{path}{mark}."), ..inside }, inner);
    }
}

/// What lists and maps are of, with what says so in a path.
fn innermost<'a>(root: &'a Value, schema: &'a Value) -> (&'a Value, String) {
    let (mut found, mut mark) = (schema, String::new());
    for _ in 0..DEPTH {
        let (inner, sign) = match (&found["items"], &found["additionalProperties"]) {
            (items @ Value::Object(_), _) => (items, "[]"),
            (_, values @ Value::Object(_)) => (values, "{}"),
            _ => break,
        };
        (found, mark) = (resolve(root, inner), mark + sign);
    }
    (found, mark)
}

/// The type, in words; of one in others, it is told to a depth.
fn kind(root: &Value, schema: &Value, depth: usize) -> String {
    if depth == DEPTH {
        return "…".to_owned();
    }
    let known = resolve(root, schema);
    let choices = known["oneOf"].as_array().or(known["anyOf"].as_array());
    match choices {
        Some(_) if depth > 0 => return "one of several".to_owned(),
        Some(choices) => {
            let kinds: Vec<String> = choices.iter().map(|choice| kind(root, choice, 1)).collect();
            return kinds.join(" or ");
        }
        None => {}
    }
    if let Some(pattern) = known["pattern"].as_str().filter(|pattern| WHOLE.contains(pattern)) {
        let sign = if pattern == WHOLE[0] { "" } else { ", not negative" };
        return format!("whole number as text{sign}");
    }
    match &known["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        Value::String(name) => typed(known, name, |inner| kind(root, inner, depth + 1)),
        _ if known.get("const").is_some() || known.get("enum").is_some() => "one value of some".to_owned(),
        _ => "anything".to_owned(),
    }
}

fn typed(schema: &Value, name: &str, kind: impl Fn(&Value) -> String) -> String {
    let inner = |schema: &Value, name: &str| match schema.is_object() {
        true => format!("{name} of {}", kind(schema)),
        false => name.to_owned(),
    };
    match name {
        "array" => inner(&schema["items"], "list"),
        "object" if schema["properties"].is_object() => "object".to_owned(),
        "object" => inner(&schema["additionalProperties"], "map"),
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "string" => match (schema["format"].as_str(), schema["contentEncoding"].as_str()) {
            (Some(format), _) => format!("text, {format}"),
            (_, Some(encoding)) => format!("bytes, {encoding}"),
            _ => "text".to_owned(),
        },
        name => name.to_owned(),
    }
}

/// What the schema asks of the value, in words.
fn rules(schema: &Value) -> Vec<String> {
    let Some(schema) = schema.as_object() else { return Vec::new() };
    let words = [
        ("minLength", "at least # character"),
        ("maxLength", "at most # character"),
        ("minItems", "at least # item"),
        ("maxItems", "at most # item"),
        ("minProperties", "at least # member"),
        ("maxProperties", "at most # member"),
        ("minimum", "at least #"),
        ("maximum", "at most #"),
        ("exclusiveMinimum", "more than #"),
        ("exclusiveMaximum", "less than #"),
        ("multipleOf", "a multiple of #"),
        ("const", "always #"),
    ];
    let told = words.into_iter().filter_map(|(word, text)| {
        let value = schema.get(word)?.to_string();
        let plural = if text.ends_with('#') || value == "1" { "" } else { "s" };
        Some(text.replace('#', &value) + plural)
    });
    told.chain(choices(schema)).chain(pattern(schema)).chain(unique(schema)).collect()
}

fn personal(schema: &Value) -> Option<String> {
    schema["x-personal"].as_bool()?.then(|| "personal".to_owned())
}

fn choices(schema: &Map<String, Value>) -> Option<String> {
    let values: Vec<String> = schema.get("enum")?.as_array()?.iter().map(ToString::to_string).collect();
    Some(format!("one of {}", values.join(", ")))
}

fn pattern(schema: &Map<String, Value>) -> Option<String> {
    let pattern = schema.get("pattern")?.as_str()?;
    (!WHOLE.contains(&pattern)).then(|| format!("matches {pattern}"))
}

fn unique(schema: &Map<String, Value>) -> Option<String> {
    schema.get("uniqueItems")?.as_bool()?.then(|| "no item twice".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_told_with_type_and_rules_and_those_in_them_below() {
        let mut schema = json!({
            "type": "object",
            "required": ["mail"],
            "properties": {
                "mail": { "type": "string", "format": "email", "maxLength": 100, "description": "Where to." },
                "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 3, "uniqueItems": true },
                "lines": { "type": "array", "items": { "$ref": "#/$defs/Line" } },
                "scores": { "type": "object", "additionalProperties": { "type": "number" } },
                "number": { "type": "string", "pattern": WHOLE[0] },
                "colour": { "enum": ["red", "blue"] },
            },
            "$defs": { "Line": { "type": "object", "properties": { "sku": { "type": ["string", "null"] } } } },
        });
        schema.sort_all_objects();
        let told: Vec<String> = of(&schema)
            .into_iter()
            .map(|field| {
                let required = if field.required { "!" } else { "" };
                format!("{}{required}: {} [{}] {}", field.path, field.kind, field.rules.join("; "), field.comment)
            })
            .collect();
        assert_eq!(
            told,
            [
                "colour: one value of some [one of \"red\", \"blue\"] ",
                "lines: list of object [] ",
                "lines[].sku: string or null [] ",
                "mail!: text, email [at most 100 characters] Where to.",
                "number: whole number as text [] ",
                "scores: map of number [] ",
                "tags: list of text [at most 3 items; no item twice] ",
            ]
        );
    }

    #[test]
    fn a_type_that_holds_itself_is_shown_to_a_bounded_depth() {
        let schema = json!({
            "properties": { "left": { "$ref": "#" }, "loop": { "$ref": "#/$defs/a" } },
            "$defs": { "a": { "$ref": "#/$defs/a" } },
        });
        let fields = of(&schema);
        assert_eq!(fields.last().map(|field| &*field.path), Some("loop"));
        assert_eq!(fields.len(), 8);
    }

    #[test]
    fn types_that_hold_each_other_everywhere_end() {
        let lists = json!({ "type": "array", "items": { "$ref": "#/$defs/lists" } });
        let choices = json!({ "oneOf": [{ "$ref": "#/$defs/choices" }, { "$ref": "#/$defs/lists" }] });
        let mut properties: Map<String, Value> = (0..30).map(|n| (format!("p{n}"), json!({ "$ref": "#" }))).collect();
        properties.insert("a".to_owned(), json!({ "$ref": "#/$defs/lists" }));
        properties.insert("b".to_owned(), json!({ "$ref": "#/$defs/choices" }));
        properties.sort_keys();
        let defs = json!({ "lists": lists, "choices": choices });
        let fields = of(&json!({ "properties": properties, "$defs": defs, "allOf": [{ "$ref": "#" }] }));
        assert_eq!(fields.len(), MOST);
        assert_eq!(fields[0].kind, "list of list of list of list of …");
        assert_eq!(fields[1].kind, "one of several or list of list of list of …");
    }
}
