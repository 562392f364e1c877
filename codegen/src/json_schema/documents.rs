//! The JSON Schema files of one compilation: their names, and what a `$ref` between them means.

use std::collections::BTreeMap;

use super::{node::Node, text};
use crate::{
    emit::{camel, snake},
    model::{Location, Mistakes, TypeRef},
    sources::Source,
};

/// A file with a usable `$id`.
#[derive(Debug)]
pub(crate) struct Document {
    /// The path below the contracts' folder, with `/`.
    pub(crate) path: String,
    /// The file as shown to people.
    pub(crate) shown: String,
    /// `shop.shipping.v1.ParcelShipped`.
    pub(crate) id: String,
    pub(crate) root: Node,
    /// The same text without positions.
    pub(crate) json: serde_json::Value,
}

/// Where a type is described: a file's root, or one of its `$defs`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) document: usize,
    /// The name in `$defs`; `None` is the root.
    pub(crate) definition: Option<String>,
}

/// All files that could be read.
#[derive(Debug, Default)]
pub(crate) struct Documents(Vec<Document>);

impl Documents {
    /// Reads the files; those that are no JSON or have no good `$id` are left out, with a mistake each.
    pub(crate) fn read<'a>(sources: impl Iterator<Item = &'a Source>, mistakes: &mut Mistakes) -> Self {
        let mut documents: Vec<Document> = Vec::new();
        let mut ids: BTreeMap<String, Location> = BTreeMap::new();
        for source in sources {
            let Some((root, json)) = text::read(&source.shown, &source.text, mistakes) else { continue };
            let Some((id, at)) = id(&root, mistakes) else { continue };
            if let Some(first) = ids.insert(id.clone(), at.clone()) {
                let reason = format!("the name `{id}` is taken by {}:{}", first.file, first.line);
                mistakes.add(&at, reason, "give each file an `$id` of its own");
                continue;
            }
            documents.push(Document { path: source.name.clone(), shown: source.shown.clone(), id, root, json });
        }
        Self(documents)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Document)> {
        self.0.iter().enumerate()
    }

    pub(crate) fn get(&self, document: usize) -> &Document {
        &self.0[document]
    }

    /// The schema a target stands for.
    pub(crate) fn node(&self, target: &Target) -> Option<&Node> {
        let root = &self.get(target.document).root;
        match &target.definition {
            None => Some(root),
            Some(name) => root.get("$defs")?.get(name),
        }
    }

    /// What a `$ref` in this file refers to; the error is the reason and the hint.
    pub(crate) fn resolve(&self, from: usize, reference: &str) -> Result<Target, (String, &'static str)> {
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let (file, fragment) = (&*unescaped(file), &*unescaped(fragment));
        if file.contains("://") {
            let hint = "nothing is fetched: put the file beside this one and refer to it by its path";
            return Err((format!("the remote `$ref` \"{reference}\" is refused"), hint));
        }
        let document = self.find(from, file).ok_or_else(|| {
            let hint = "name a file by its path from this one, or by its `$id`, below the contracts' folder";
            (format!("`$ref` \"{reference}\": there is no contract `{file}`"), hint)
        })?;
        let target = Target { document, definition: definition(reference, fragment)? };
        if self.node(&target).is_none() {
            let reason = format!("`$ref` \"{reference}\": there is no such type in {}", self.get(document).shown);
            return Err((reason, "add the type to `$defs` there, or correct the name"));
        }
        Ok(target)
    }

    fn find(&self, from: usize, file: &str) -> Option<usize> {
        if file.is_empty() {
            return Some(from);
        }
        let path = join(&self.get(from).path, file);
        self.0.iter().position(|document| Some(&document.path) == path.as_ref() || document.id == file)
    }

    /// The Rust item of a target.
    pub(crate) fn rust(&self, target: &Target) -> TypeRef {
        let (package, name) = split(&self.get(target.document).id);
        let path = match &target.definition {
            None => vec![camel(name)],
            Some(inner) => vec![snake(name), camel(inner)],
        };
        TypeRef { package: package.to_owned(), path }
    }

    /// The name of a target in the contracts.
    pub(crate) fn name(&self, target: &Target) -> String {
        let id = &self.get(target.document).id;
        target.definition.as_ref().map_or_else(|| id.clone(), |inner| format!("{id}.{inner}"))
    }
}

/// Package and name of an `$id`.
pub(crate) fn split(id: &str) -> (&str, &str) {
    id.rsplit_once('.').unwrap_or(("", id))
}

fn id(root: &Node, mistakes: &mut Mistakes) -> Option<(String, Location)> {
    let hint = "write `\"$id\": \"shop.shipping.v1.ParcelShipped\"`: the package, then the type's name";
    let Some(node) = root.get("$id") else {
        mistakes.add(&root.at, "the file has no `$id`", hint);
        return None;
    };
    match node.text().filter(|id| is_name(id)) {
        Some(id) => Some((id.to_owned(), node.at.clone())),
        None => {
            mistakes.add(&node.at, "the `$id` is not the full name of a type", hint);
            None
        }
    }
}

/// Lower-case package segments, then a name that begins with a capital.
fn is_name(id: &str) -> bool {
    let (package, name) = split(id);
    let segment = |text: &str, first: fn(&char) -> bool, rest: fn(char) -> bool| {
        text.chars().next().is_some_and(|letter| first(&letter)) && text.chars().all(rest)
    };
    let in_package = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    package.split('.').all(|text| segment(text, char::is_ascii_lowercase, in_package))
        && segment(name, char::is_ascii_uppercase, |letter| letter.is_ascii_alphanumeric())
}

/// The name in `$defs` that a fragment points to; `None` is the root.
fn definition(reference: &str, fragment: &str) -> Result<Option<String>, (String, &'static str)> {
    if fragment.is_empty() {
        return Ok(None);
    }
    match fragment.strip_prefix("/$defs/") {
        Some(name) if !name.contains('/') => Ok(Some(name.replace("~1", "/").replace("~0", "~"))),
        _ => {
            let reason = format!("`$ref` \"{reference}\" points to neither a file nor a type in `$defs`");
            Err((reason, "move the type to `$defs` and write `#/$defs/Name`"))
        }
    }
}

/// A reference is a URI: `%20` in it is a space.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path relative to a file; `None` when it leads out of the folder.
fn join(file: &str, relative: &str) -> Option<String> {
    let mut segments: Vec<&str> = file.split('/').collect();
    segments.pop();
    for segment in relative.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()?),
            _ => segments.push(segment),
        }
    }
    Some(segments.join("/"))
}
