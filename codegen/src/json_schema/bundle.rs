//! A contract's text as one document: what it refers to in other files is taken into its `$defs`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::documents::Documents;

/// The text of a file, without need for any other.
pub(crate) fn text(documents: &Documents, home: usize) -> String {
    let mut bundle = Bundle { documents, home, open: Vec::new() };
    let mut root = bundle.part(home);
    let mut done = BTreeSet::from([home]);
    while let Some(next) = bundle.open.pop() {
        if !done.insert(next) {
            continue;
        }
        let part = bundle.part(next);
        let Value::Object(members) = &mut root else { break };
        let definitions = members.entry("$defs").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(definitions) = definitions {
            definitions.insert(documents.get(next).id.clone(), part);
        }
    }
    root.to_string()
}

struct Bundle<'a> {
    documents: &'a Documents,
    home: usize,
    open: Vec<usize>,
}

impl Bundle<'_> {
    /// A file with its references as they are inside the bundle.
    fn part(&mut self, document: usize) -> Value {
        let mut value = self.documents.get(document).json.clone();
        if let Value::Object(members) = &mut value
            && document != self.home
        {
            // An `$id` would make it a document of its own, with a base of its own for references.
            members.retain(|name, _| !["$id", "$schema", "x-tegami"].contains(&name.as_str()));
        }
        self.rewrite(&mut value, document, false);
        value
    }

    /// Rewrites every `$ref`; where names are data, as in `properties`, none is a keyword.
    fn rewrite(&mut self, value: &mut Value, from: usize, names_are_data: bool) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.rewrite(item, from, false)),
            Value::Object(members) => {
                for (name, value) in members {
                    let name = if names_are_data { "" } else { name.as_str() };
                    match (name, value) {
                        ("$ref", Value::String(text)) => self.reference(text, from),
                        ("examples" | "default" | "enum" | "const", _) => {}
                        (_, value) => self.rewrite(value, from, ["properties", "$defs"].contains(&name)),
                    }
                }
            }
            _ => {}
        }
    }

    fn reference(&mut self, text: &mut String, from: usize) {
        let Ok(target) = self.documents.resolve(from, text) else { return };
        let mut path = "#".to_owned();
        if target.document != self.home {
            self.open.push(target.document);
            path = format!("#/$defs/{}", self.documents.get(target.document).id);
        }
        if let Some(name) = target.definition {
            path = super::node::pointer(&format!("{path}/$defs"), &name);
        }
        *text = path;
    }
}
