//! The JSON Schema of a message's canonical JSON, for documents people and other languages read.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value};

use super::{Codec, Object};

/// Collects the fields of one message.
#[derive(Debug)]
pub struct Describe<'g> {
    generator: &'g mut SchemaGenerator,
    comment: String,
    properties: Map<String, Value>,
    required: Vec<Value>,
    /// The name of the field described last.
    last: &'static str,
}

impl Describe<'_> {
    /// What the contract says of the message.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        text.clone_into(&mut self.comment);
        self
    }

    /// A field, and what the contract says of it.
    pub fn field<C: Codec>(&mut self, name: &'static str, comment: &str) -> &mut Self {
        let mut schema = C::schema(self.generator);
        if !comment.is_empty() {
            schema.insert("description".to_owned(), comment.into());
        }
        self.properties.insert(name.to_owned(), schema.into());
        self.last = name;
        self
    }

    /// A field that the contract requires.
    pub fn required<C: Codec>(&mut self, name: &'static str, comment: &str) -> &mut Self {
        self.required.push(name.into());
        self.field::<C>(name, comment)
    }

    /// How long the last field may be. Of bytes JSON shows another length, so nothing is said of them.
    pub fn length(&mut self, min: Option<u64>, max: Option<u64>) -> &mut Self {
        let schema = &self.properties[self.last];
        let unit = match schema["type"].as_str() {
            Some("string") if schema.get("contentEncoding").is_none() && schema.get("enum").is_none() => "Length",
            Some("array") => "Items",
            Some("object") if schema.get("additionalProperties").is_some() => "Properties",
            _ => return self,
        };
        let rules = [("min", min), ("max", max)].into_iter();
        rules.fold(self, |object, (end, bound)| match bound {
            Some(bound) => object.rule(&format!("{end}{unit}"), bound.into()),
            None => object,
        })
    }

    /// The regular expression that the last field matches.
    pub fn pattern(&mut self, pattern: &str) -> &mut Self {
        self.rule("pattern", pattern.into())
    }

    /// The least the last field may be.
    pub fn at_least(&mut self, bound: f64) -> &mut Self {
        self.rule("minimum", number(bound))
    }

    /// The most the last field may be.
    pub fn at_most(&mut self, bound: f64) -> &mut Self {
        self.rule("maximum", number(bound))
    }

    /// The last field is data about a person.
    pub fn personal(&mut self) -> &mut Self {
        self.rule("x-personal", true.into())
    }

    fn rule(&mut self, keyword: &str, value: Value) -> &mut Self {
        self.properties[self.last][keyword] = value;
        self
    }
}

/// A bound as people write it: `18`, not `18.0`.
fn number(bound: f64) -> Value {
    let whole = bound as i64;
    if whole as f64 == bound { whole.into() } else { bound.into() }
}

/// The schema of one message, in which other messages are references.
pub fn describe_object<T: Object>(generator: &mut SchemaGenerator) -> Schema {
    let mut object =
        Describe { generator, comment: String::new(), properties: Map::new(), required: Vec::new(), last: "" };
    T::describe(&mut object);
    let Describe { comment, properties, required, .. } = object;
    let mut schema = json_schema!({ "type": "object" });
    if !comment.is_empty() {
        schema.insert("description".to_owned(), comment.into());
    }
    schema.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

/// The whole schema of an event, with those it refers to, in the dialect AsyncAPI builds on (draft 7).
pub fn schema_of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>()
}
