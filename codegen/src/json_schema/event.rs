//! `x-tegami`: what makes an object an event, its key, its attributes and whose data is in it.

use super::{
    documents::split,
    node::Node,
    reader::{Reader, Scope},
};
use crate::model::{Event, Field, Presence, Scalar, Type, version};

const SHAPE: &str = "`\"x-tegami\": { \"event\": { \"topic\", \"routing_key\", \"ordered\" }, \"key\": \"…\", \"attributes\": [\"…\"], \
                     \"subject\": \"…\" }`";

impl Reader<'_> {
    /// Reads `x-tegami`, marks the key and the attributes; `None` when the object is a plain type.
    pub(crate) fn event(&mut self, node: &Node, scope: &Scope, fields: &mut [Field]) -> Option<Event> {
        let options = node.get("x-tegami").filter(|_| node.pointer.is_empty())?;
        self.only(options, &["event", "key", "attributes", "subject"]);
        let Some(event) = options.get("event") else {
            self.refuse(options, "`x-tegami` without `event` makes no event", SHAPE);
            return None;
        };
        self.only(event, &["topic", "routing_key", "ordered"]);
        if let Some(key) = options.get("key") {
            self.key(key, fields);
        }
        for attribute in self.list(options, "attributes") {
            self.attribute(attribute, fields);
        }
        if let Some(field) = options.get("subject").and_then(|subject| self.property(subject, fields)) {
            field.subject = true;
        }
        let package = split(&scope.contract).0;
        let topic = self.option(event, "topic");
        Some(Event {
            topic_at: event.get("topic").map_or(&event.at, |topic| &topic.at).clone(),
            topic: topic.unwrap_or_else(|| package.replace('.', "-")),
            routing_key: self.option(event, "routing_key").unwrap_or_else(|| scope.contract.clone()),
            ordered: self.flag(event, "ordered"),
            version: version(package),
        })
    }

    /// Refuses what is no object, and every member but these.
    fn only(&mut self, node: &Node, names: &[&str]) {
        if !node.is_object() {
            self.refuse(node, &format!("expected an object, not {}", node.kind()), SHAPE);
        }
        for member in node.members().iter().filter(|member| !names.contains(&member.name.as_str())) {
            let reason = format!("`{}`: there is no option `{}`", member.value.pointer, member.name);
            self.mistakes.add(&member.at, reason, SHAPE);
        }
    }

    fn option(&mut self, event: &Node, name: &str) -> Option<String> {
        let option = event.get(name)?;
        if option.text().is_none() {
            self.refuse(option, &format!("`{name}` is a string, not {}", option.kind()), SHAPE);
        }
        option.text().map(str::to_owned)
    }

    fn key(&mut self, key: &Node, fields: &mut [Field]) {
        let Some(field) = self.property(key, fields) else { return };
        let fits = matches!(field.ty, Type::Scalar(Scalar::Text | Scalar::Int64 | Scalar::Uuid));
        if !fits {
            self.refuse(
                key,
                &format!("the property `{}` cannot be the key", field.name),
                "a key is a string, an integer or a uuid",
            );
        } else if field.presence != Presence::Plain {
            let hint = "add it to `required`, and do not allow null";
            self.refuse(key, &format!("the key `{}` may be absent", field.name), hint);
        } else {
            field.key = true;
        }
    }

    fn attribute(&mut self, attribute: &Node, fields: &mut [Field]) {
        let Some(field) = self.property(attribute, fields) else { return };
        let scalar = matches!(field.ty, Type::Scalar(_) | Type::Enum(_));
        if !scalar {
            let hint = "only strings, enums, numbers and booleans travel beside the payload";
            self.refuse(attribute, &format!("the property `{}` cannot be an attribute", field.name), hint);
        } else if field.attribute {
            self.refuse(attribute, &format!("the attribute `{}` is there twice", field.name), "list it once");
        }
        field.attribute = scalar;
    }

    /// The field that a name in `x-tegami` means.
    fn property<'f>(&mut self, name: &Node, fields: &'f mut [Field]) -> Option<&'f mut Field> {
        if name.text().is_none() {
            self.refuse(name, &format!("a property is named by a string, not by {}", name.kind()), SHAPE);
        }
        let wanted = name.text()?;
        let known = fields.iter().map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ");
        let found = fields.iter_mut().find(|field| field.name == wanted);
        if found.is_none() {
            self.refuse(name, &format!("there is no property `{wanted}`"), &format!("properties here: {known}"));
        }
        found
    }
}
