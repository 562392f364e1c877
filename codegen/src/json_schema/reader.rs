//! Reads every type of every file into the model: the state that the readers of objects, enums and unions share.

use std::collections::{BTreeMap, BTreeSet};

use syn::Ident;

use super::{
    documents::{Documents, Target, split},
    node::Node,
    shape::is_struct,
};
use crate::{
    emit::{camel, snake},
    model::{Location, Mistakes, Package, TypeRef},
};

/// What is being read, and what came of it so far.
pub(crate) struct Reader<'a> {
    pub(crate) documents: &'a Documents,
    pub(crate) mistakes: &'a mut Mistakes,
    pub(crate) packages: BTreeMap<String, Package>,
    /// Structs that are a branch of a `oneOf`, with its discriminator.
    pub(crate) branches: BTreeMap<TypeRef, String>,
    /// Structs that are used by themselves, with one place where.
    pub(crate) alone: BTreeMap<TypeRef, Location>,
    /// Where the schemas of properties stand: a pointer's text cannot tell, for a property may be called `properties`.
    pub(crate) properties: BTreeSet<Location>,
    /// The definitions without a Rust type of their own that are being read just now.
    pub(crate) visiting: Vec<Target>,
    /// How many of these are around the innermost object that is being read just now.
    pub(crate) around: usize,
    /// How many schemas are being read just now, each inside the one before.
    pub(crate) depth: usize,
    taken: BTreeMap<TypeRef, Location>,
}

/// Where a type that is described in place would stand in Rust, and what it would be called.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) document: usize,
    /// The name in the contracts.
    pub(crate) contract: String,
    pub(crate) rust: TypeRef,
}

impl Scope {
    /// The scope of a target's own type.
    pub(crate) fn of(documents: &Documents, target: &Target) -> Self {
        Self { document: target.document, contract: documents.name(target), rust: documents.rust(target) }
    }

    /// The scope of something inside: a type for this property would be named after it.
    pub(crate) fn inner(&self, property: &str) -> Self {
        let mut path = self.rust.path.clone();
        if let Some(own) = path.last_mut() {
            *own = snake(own);
        }
        path.push(camel(property));
        Self {
            document: self.document,
            contract: format!("{}.{}", self.contract, camel(property)),
            rust: TypeRef { package: self.rust.package.clone(), path },
        }
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(documents: &'a Documents, mistakes: &'a mut Mistakes) -> Self {
        Self {
            documents,
            mistakes,
            packages: BTreeMap::new(),
            branches: BTreeMap::new(),
            alone: BTreeMap::new(),
            properties: BTreeSet::new(),
            visiting: Vec::new(),
            around: 0,
            depth: 0,
            taken: BTreeMap::new(),
        }
    }

    /// Reads every file: its root, where that describes a type, and its `$defs`.
    pub(crate) fn read(&mut self) {
        for (document, file) in self.documents.iter() {
            let package = self.package(split(&file.id).0);
            package.sources.push(file.shown.clone());
            if package.at.file.is_empty() {
                package.at = file.root.get("$id").unwrap_or(&file.root).at.clone();
            }
            self.root(document, &file.root);
            for member in self.named(&file.root, "$defs") {
                if self.is_nameable(&member.name, &member.at) {
                    self.target(&Target { document, definition: Some(member.name.clone()) }, &member.value);
                }
            }
        }
    }

    /// A file may hold `$defs` only; then its root is no type.
    fn root(&mut self, document: usize, root: &Node) {
        let describes = ["type", "properties", "oneOf", "enum", "const", "$ref", "x-tegami"];
        let has_type = describes.iter().any(|keyword| root.get(keyword).is_some());
        if has_type || root.get("$defs").is_none() {
            self.target(&Target { document, definition: None }, root);
        } else {
            self.allow(root, &[]);
        }
        self.expect_dialect(root);
        let is_object = root.get("$ref").is_none() && root.get("oneOf").is_none() && is_struct(root);
        if let Some(options) = root.get("x-tegami").filter(|_| !is_object) {
            let hint = "wrap it in an object, as one of its `properties`";
            self.refuse(options, "only an object with properties can be an event", hint);
        }
    }

    fn target(&mut self, target: &Target, node: &Node) {
        let scope = Scope::of(self.documents, target);
        self.visiting.push(target.clone());
        self.shape(node, &scope);
        self.visiting.pop();
    }

    fn expect_dialect(&mut self, root: &Node) {
        let Some(dialect) = root.get("$schema") else { return };
        let known = "https://json-schema.org/draft/2020-12/schema";
        if dialect.text().map(|text| text.trim_end_matches('#')) != Some(known) {
            let hint = format!("write \"{known}\", or leave `$schema` out");
            self.mistakes.add(&dialect.at, "contracts are JSON Schema 2020-12; this `$schema` is another", hint);
        }
    }

    /// Takes a Rust name; `false` when it is taken: by this very type, or, a mistake, by another.
    pub(crate) fn claim(&mut self, rust: &TypeRef, at: &Location) -> bool {
        let Some(first) = self.taken.get(rust) else {
            self.taken.insert(rust.clone(), at.clone());
            return true;
        };
        if first != at {
            let name = rust.path.join("::");
            let reason = format!("the Rust type `{name}` is already made from {}:{}", first.file, first.line);
            self.mistakes.add(at, reason, "rename one of the two, or describe the type once in `$defs`");
        }
        false
    }

    /// Can a Rust name be made of this one? A mistake if not.
    pub(crate) fn is_nameable(&mut self, name: &str, at: &Location) -> bool {
        let has_letters = name.contains(char::is_alphanumeric);
        let nameable =
            has_letters && [snake(name), camel(name)].iter().all(|rust| syn::parse_str::<Ident>(rust).is_ok());
        if !nameable {
            self.mistakes.add(at, format!("\"{name}\" has nothing to make a Rust name of"), "use letters or digits");
        }
        nameable
    }

    pub(crate) fn package(&mut self, name: &str) -> &mut Package {
        let package = self.packages.entry(name.to_owned()).or_default();
        package.name = name.to_owned();
        package
    }
}
