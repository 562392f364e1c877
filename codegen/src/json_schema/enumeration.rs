//! `enum` and `const` of strings: a Rust enum.

use super::{
    node::{Node, Value},
    reader::{Reader, Scope},
    shape::Shape,
};
use crate::{
    emit::camel,
    model::{Dialect, Enum, EnumValue, Reserved, Type},
};

impl Reader<'_> {
    pub(crate) fn enumeration(&mut self, node: &Node, scope: &Scope) -> Option<Shape> {
        self.allow(node, &["type", "enum", "const"]);
        if self.claim(&scope.rust, &node.at) {
            let values = self.enum_values(node);
            let item = Enum {
                name: scope.contract.clone(),
                dialect: Dialect::JsonSchema,
                rust: scope.rust.clone(),
                docs: docs(node),
                at: node.at.clone(),
                values,
                reserved: Reserved::default(),
            };
            self.package(&scope.rust.package).enums.push(item);
        }
        Some(Shape::plain(Type::Enum(scope.rust.clone())))
    }

    fn enum_values(&mut self, node: &Node) -> Vec<EnumValue> {
        let listed: Vec<_> = self.list(node, "enum").iter().chain(node.get("const")).collect();
        let mut values: Vec<EnumValue> = Vec::new();
        for value in listed.into_iter().filter(|value| !matches!(value.value, Value::Null)) {
            values.extend(self.enum_value(value, &values));
        }
        if values.is_empty() {
            self.refuse(node, "the enum has no values", "list strings in `enum`");
        }
        values
    }

    /// A value, unless it is no text, or one with the Rust name of another.
    fn enum_value(&mut self, value: &Node, known: &[EnumValue]) -> Option<EnumValue> {
        let Some(name) = value.text().filter(|name| !name.is_empty()) else {
            let reason = "a value of an enum is a string with something in it";
            self.refuse(value, reason, "numbers: use `minimum` and `maximum`");
            return None;
        };
        if !self.is_nameable(name, &value.at) {
            return None;
        }
        let rust = camel(name);
        if let Some(EnumValue { name: first, .. }) = known.iter().find(|known| known.rust == rust) {
            let reason = format!("\"{name}\" and \"{first}\" would both be `{rust}` in Rust");
            self.refuse(value, &reason, "values of an enum must differ in letters and digits");
            return None;
        }
        Some(EnumValue { name: name.to_owned(), rust, number: None, docs: String::new(), at: value.at.clone() })
    }
}

/// The description of a schema, and its default, as text for rustdoc.
pub(crate) fn docs(node: &Node) -> String {
    let texts = ["description", "title"].into_iter().filter_map(|name| node.get(name)?.text());
    let mut docs = texts.take(1).collect::<String>();
    if let Some(default) = node.get("default") {
        let value = match &default.value {
            Value::Text(text) => format!("\"{text}\""),
            Value::Number(number) => number.clone(),
            Value::Bool(truth) => truth.to_string(),
            _ => return docs,
        };
        docs.push_str(&format!("\n\nDefault: `{value}`."));
    }
    docs
}
