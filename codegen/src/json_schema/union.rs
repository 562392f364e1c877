//! `oneOf`: a Rust enum whose variants a property with a `const` tells apart, or, of one branch, that branch's type.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    documents::{Documents, Target},
    enumeration::docs,
    node::Node,
    reader::{Reader, Scope},
    shape::{Shape, is_struct},
};
use crate::{
    emit::camel,
    model::{self, Dialect, Field, Presence, Rules, Type, TypeRef},
};

const HINT: &str = "give each branch a required property of the same name with a `const` of its own: \
                    `\"kind\": { \"const\": \"card\" }`";

/// The branches of a `oneOf`, null aside.
pub(crate) struct Union<'a> {
    pub(crate) branches: Vec<&'a Node>,
    pub(crate) nullable: bool,
}

impl<'a> Union<'a> {
    /// The branches; `None` where there is at most one, so that this is no union but that one's type, with null or without.
    pub(crate) fn of(node: &'a Node) -> Option<Self> {
        let union = Self::parts(node);
        (union.branches.len() > 1).then_some(union)
    }

    fn parts(node: &'a Node) -> Self {
        let is_null = |branch: &&Node| branch.get("type").and_then(Node::text) == Some("null");
        let (nulls, branches): (Vec<_>, Vec<_>) =
            node.get("oneOf").map_or(&[][..], Node::items).iter().partition(is_null);
        Self { branches, nullable: !nulls.is_empty() }
    }
}

/// One branch: the object it stands for, and where that one's type is.
struct Branch<'a> {
    at: &'a Node,
    object: &'a Node,
    target: Option<Target>,
}

impl Reader<'_> {
    pub(crate) fn one_of(&mut self, node: &Node, scope: &Scope) -> Option<Shape> {
        self.allow(node, &["oneOf", "type"]);
        let Some(union) = Union::of(node) else {
            let [only] = Union::parts(node).branches[..] else {
                self.refuse(node, "`oneOf` has no branches", HINT);
                return None;
            };
            let inner = self.shape(only, scope)?;
            return Some(Shape { nullable: inner.nullable || Union::parts(node).nullable, ..inner });
        };
        if self.claim(&scope.rust, &node.at) {
            let documents = self.documents;
            let branches = union.branches.iter().map(|branch| self.branch(documents, branch, scope));
            let branches: Vec<_> = branches.collect();
            let branches: Option<Vec<_>> = branches.into_iter().collect();
            self.union(node, scope, &branches?);
        }
        Some(Shape { nullable: union.nullable, ..Shape::plain(Type::Union(scope.rust.clone())) })
    }

    /// What a branch stands for; it must be an object with properties.
    fn branch<'n>(&mut self, documents: &'n Documents, at: &'n Node, scope: &Scope) -> Option<Branch<'n>> {
        let Some(reference) = at.get("$ref") else {
            if !is_struct(at) {
                self.refuse(at, "a branch of `oneOf` is an object, or a `$ref` to one", HINT);
                return None;
            }
            return Some(Branch { at, object: at, target: None });
        };
        self.allow(at, &["$ref"]);
        let resolved = documents.resolve(scope.document, reference.text().unwrap_or_default());
        let target = resolved.map_err(|(reason, hint)| self.mistakes.add(&reference.at, reason, hint)).ok()?;
        let object = documents.node(&target)?;
        if !is_struct(object) {
            self.refuse(at, "a branch of `oneOf` is a `$ref` to an object", HINT);
            return None;
        }
        Some(Branch { at, object, target: Some(target) })
    }

    fn union(&mut self, node: &Node, scope: &Scope, branches: &[Branch<'_>]) {
        let Some(tag) = discriminator(branches) else {
            self.refuse(node, "nothing tells the branches of `oneOf` apart", HINT);
            return;
        };
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        let mut variants = Vec::new();
        for branch in branches {
            let Some(value) = constant(branch.object, tag) else { continue };
            if !self.is_nameable(value, &branch.at.at) {
                continue;
            }
            let rust = camel(value);
            if let Some(first) = names.insert(rust.clone(), value) {
                let reason = format!("the branches \"{first}\" and \"{value}\" would both be `{rust}` in Rust");
                self.refuse(branch.at, &reason, HINT);
                continue;
            }
            let to = self.variant_type(branch, tag, &scope.inner(value));
            variants.push(variant(branch, value, rust, to));
        }
        let item = model::Union {
            name: scope.contract.clone(),
            dialect: Dialect::JsonSchema,
            rust: scope.rust.clone(),
            docs: docs(node),
            at: node.at.clone(),
            tag: Some(tag.to_owned()),
            variants,
        };
        self.package(&scope.rust.package).unions.push(item);
    }

    /// The struct of a branch, noted as one: the union writes its discriminator.
    fn variant_type(&mut self, branch: &Branch<'_>, tag: &str, scope: &Scope) -> TypeRef {
        let rust = match &branch.target {
            Some(target) => self.documents.rust(target),
            None => {
                self.object(branch.object, scope);
                scope.rust.clone()
            }
        };
        let other = self.branches.insert(rust.clone(), tag.to_owned());
        if other.is_some_and(|other| other != tag) {
            self.refuse(branch.at, "the branch has another discriminator in another `oneOf`", "use one name in both");
        }
        rust
    }
}

/// The first property that has a `const` of its own in every branch and is required there. Where there is none, it is
/// the first with any `const` in each, so that those which are alike are told.
fn discriminator<'a>(branches: &[Branch<'a>]) -> Option<&'a str> {
    let properties = branches.first()?.object.get("properties")?;
    let names = properties.members().iter().map(|member| member.name.as_str());
    let values =
        |name: &str| -> Option<BTreeSet<_>> { branches.iter().map(|branch| constant(branch.object, name)).collect() };
    let constant: Vec<_> = names.filter_map(|name| Some((name, values(name)?))).collect();
    let differs = constant.iter().find(|(_, values)| values.len() == branches.len());
    differs.or(constant.first()).map(|(name, _)| *name)
}

/// The `const` of a required property.
fn constant<'a>(object: &'a Node, name: &str) -> Option<&'a str> {
    let required = object.get("required")?.items().iter().any(|required| required.text() == Some(name));
    let value = object.get("properties")?.get(name)?.get("const")?.text();
    value.filter(|value| required && !value.is_empty())
}

fn variant(branch: &Branch<'_>, value: &str, rust: String, to: TypeRef) -> Field {
    Field {
        name: value.to_owned(),
        rust,
        json: value.to_owned(),
        number: None,
        docs: docs(branch.object),
        at: branch.at.at.clone(),
        ty: Type::Struct(to),
        declared: None,
        presence: Presence::Plain,
        rules: Rules::default(),
        key: false,
        attribute: false,
        personal: false,
        subject: false,
    }
}
