//! Objects with named properties: a Rust struct.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    bundle,
    enumeration::docs,
    keywords::PERSONAL,
    node::{Member, Node},
    reader::{Reader, Scope},
    shape::Shape,
};
use crate::{
    emit::snake,
    model::{Dialect, Field, Layout, Presence, Reserved, Struct, Type},
};

impl Reader<'_> {
    pub(crate) fn object(&mut self, node: &Node, scope: &Scope) -> Option<Shape> {
        if self.claim(&scope.rust, &node.at) {
            self.allow(node, &["type", "properties", "required", "additionalProperties"]);
            if node.get("properties").is_none() {
                let hint = "name them; `\"properties\": {}` is an object without any, \
                            `\"additionalProperties\": { \"type\": \"string\" }` one of any names";
                self.refuse(node, "the object has no `properties`", hint);
            }
            let around = std::mem::replace(&mut self.around, self.visiting.len());
            let (mut fields, nullable) = self.fields(node, scope);
            self.around = around;
            let event = self.event(node, scope, &mut fields);
            let item = Struct {
                name: scope.contract.clone(),
                dialect: Dialect::JsonSchema,
                rust: scope.rust.clone(),
                docs: docs(node),
                at: node.at.clone(),
                fields,
                reserved: Reserved::default(),
                event,
            };
            let text = node.pointer.is_empty().then(|| bundle::text(self.documents, scope.document));
            let layout = Layout { closed: self.closed(node), nullable, text };
            let package = self.package(&scope.rust.package);
            package.layouts.insert(scope.rust.clone(), layout);
            package.structs.push(item);
        }
        Some(Shape::plain(Type::Struct(scope.rust.clone())))
    }

    /// Are properties that are not declared an error?
    fn closed(&mut self, node: &Node) -> bool {
        let Some(additional) = node.get("additionalProperties") else { return false };
        match additional.bool() {
            Some(allowed) => !allowed,
            None => {
                let hint = "move them into a property of their own, an object with `additionalProperties` alone";
                self.refuse(additional, "named and additional properties do not go together", hint);
                false
            }
        }
    }

    /// The fields, and the names of those that are required and may be null.
    fn fields(&mut self, node: &Node, scope: &Scope) -> (Vec<Field>, BTreeSet<String>) {
        let required = self.required(node);
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        let (mut fields, mut nullable) = (Vec::new(), BTreeSet::new());
        for member in self.named(node, "properties") {
            self.properties.insert(member.value.at.clone());
            let rust = snake(&member.name);
            if let Some(first) = names.insert(rust.clone(), &member.name) {
                let reason = format!("the properties `{}` and `{first}` would both be `{rust}` in Rust", member.name);
                self.mistakes.add(&member.at, reason, "names must differ in more than case and punctuation");
            } else if self.is_nameable(&member.name, &member.at)
                && let Some(shape) = self.shape(&member.value, &scope.inner(&member.name))
            {
                let required = required.contains(&member.name);
                if required && shape.nullable {
                    nullable.insert(member.name.clone());
                }
                fields.push(field(member, rust, required, shape));
            }
        }
        (fields, nullable)
    }

    fn required(&mut self, node: &Node) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for required in self.list(node, "required") {
            let Some(name) = required.text() else {
                self.refuse(required, "`required` lists names of properties", "write each name in quotes");
                continue;
            };
            if node.get("properties").is_none_or(|properties| properties.get(name).is_none()) {
                self.refuse(
                    required,
                    &format!("the required property `{name}` is not declared"),
                    "add it to `properties`",
                );
            }
            names.insert(name.to_owned());
        }
        names
    }
}

fn field(member: &Member, rust: String, required: bool, shape: Shape) -> Field {
    Field {
        name: member.name.clone(),
        rust,
        json: member.name.clone(),
        number: None,
        docs: docs(&member.value),
        at: member.at.clone(),
        ty: shape.ty,
        declared: None,
        presence: if required && !shape.nullable { Presence::Plain } else { Presence::Option },
        rules: shape.rules,
        key: false,
        attribute: false,
        personal: member.value.get(PERSONAL).and_then(Node::bool) == Some(true),
        subject: false,
    }
}
