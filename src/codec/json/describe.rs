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
        self
    }

    /// A field that the contract requires.
    pub fn required<C: Codec>(&mut self, name: &'static str, comment: &str) -> &mut Self {
        self.required.push(name.into());
        self.field::<C>(name, comment)
    }
}

/// The schema of one message, in which other messages are references.
pub fn describe_object<T: Object>(generator: &mut SchemaGenerator) -> Schema {
    let mut object = Describe { generator, comment: String::new(), properties: Map::new(), required: Vec::new() };
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
