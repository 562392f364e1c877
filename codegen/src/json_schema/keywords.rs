//! Which keywords are understood where; any other is refused, with what to write in its place.

use super::{
    node::{Member, Node},
    reader::Reader,
};

/// Understood, and without effect on values.
const ANNOTATIONS: &[&str] = &["title", "description", "$comment", "examples", "default", "deprecated"];
/// Understood at the root of a file.
const ROOT: &[&str] = &["$schema", "$id", "$defs", "x-tegami"];

/// Says that a property is personal data.
pub(crate) const PERSONAL: &str = "x-personal";

/// Understood in one kind of schema or another.
pub(crate) const ELSEWHERE: &[&str] = &[
    "$ref",
    "additionalProperties",
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "type",
    "uniqueItems",
    "maxProperties",
    "minProperties",
];

impl Reader<'_> {
    /// Refuses every keyword that is neither an annotation nor one of these.
    pub(crate) fn allow(&mut self, node: &Node, keywords: &[&str]) {
        for member in node.members() {
            let name = member.name.as_str();
            if name == PERSONAL {
                self.personal(node, member);
                continue;
            }
            let in_root = node.pointer.is_empty() && ROOT.contains(&name);
            if in_root || keywords.contains(&name) || ANNOTATIONS.contains(&name) {
                continue;
            }
            let reason = match is_understood(name) {
                true => format!("`{}`: `{name}` has no meaning here", member.value.pointer),
                false => format!("`{}`: `{name}` is not supported", member.value.pointer),
            };
            self.mistakes.add(&member.at, reason, hint(name));
        }
    }

    /// A property is personal, or is not; nothing else can be.
    fn personal(&mut self, node: &Node, mark: &Member) {
        if !self.properties.contains(&node.at) {
            let reason = format!("`{}`: `{PERSONAL}` has no meaning here", mark.value.pointer);
            self.mistakes.add(&mark.at, reason, "it belongs to a property: mark each that has such values");
        }
        self.flag(node, PERSONAL);
    }

    /// The items of a member; a mistake where it is no array.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, name: &str) -> &'n [Node] {
        let Some(list) = node.get(name) else { return &[] };
        if !list.is_list() {
            let hint = "write it in brackets: `[…]`";
            self.refuse(list, &format!("`{name}` is an array, not {}", list.kind()), hint);
        }
        list.items()
    }

    /// The members of a member; a mistake where it is no object.
    pub(crate) fn named<'n>(&mut self, node: &'n Node, name: &str) -> &'n [Member] {
        let Some(object) = node.get(name) else { return &[] };
        if !object.is_object() {
            let hint = "write it in braces, a name and a schema each: `{ \"id\": { \"type\": \"string\" } }`";
            self.refuse(object, &format!("`{name}` is an object, not {}", object.kind()), hint);
        }
        object.members()
    }

    /// Notes that a schema is wrong as a whole.
    pub(crate) fn refuse(&mut self, node: &Node, reason: &str, hint: &str) {
        let pointer = if node.pointer.is_empty() { "#" } else { &node.pointer };
        self.mistakes.add(&node.at, format!("`{pointer}`: {reason}"), hint);
    }
}

/// Is the keyword understood somewhere else?
fn is_understood(name: &str) -> bool {
    ROOT.contains(&name) || ELSEWHERE.contains(&name)
}

fn hint(name: &str) -> &'static str {
    match name {
        "allOf" => "write the properties out in one object",
        "anyOf" => "use `oneOf` with a property that has another `const` in each branch",
        "not" | "if" | "then" | "else" | "dependentRequired" | "dependentSchemas" => {
            "a rule between properties belongs into the handler"
        }
        "definitions" => "write `$defs`",
        "$id" | "$schema" | "$defs" | "x-tegami" => "it belongs to the root of the file",
        "$anchor" | "$dynamicRef" | "$dynamicAnchor" => {
            "put the type into `$defs` and write `\"$ref\": \"#/$defs/Name\"`"
        }
        "patternProperties" | "propertyNames" => {
            "declare the properties, or give all the same schema by `additionalProperties`"
        }
        "prefixItems" | "contains" => "use an object with a property for each item",
        "unevaluatedProperties" | "unevaluatedItems" => "use `additionalProperties`",
        "nullable" => "write `\"type\": [\"string\", \"null\"]`",
        _ => "leave it out, or say it in `description`",
    }
}
