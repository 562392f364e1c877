//! `$ref`: what it points to, as a type of its own or read in place.

use super::{
    documents::Target,
    node::Node,
    reader::{Reader, Scope},
    shape::{Shape, is_enum, is_struct, kind},
};
use crate::model::Type;

impl Reader<'_> {
    /// The shape of the type a `$ref` points to.
    pub(crate) fn reference(&mut self, node: &Node, reference: &Node, scope: &Scope) -> Option<Shape> {
        self.allow(node, &["$ref"]);
        let Some(text) = reference.text() else {
            self.refuse(reference, "`$ref` is a string", "write `\"#/$defs/Name\"`");
            return None;
        };
        let target = match self.documents.resolve(scope.document, text) {
            Ok(target) => target,
            Err((reason, hint)) => {
                self.mistakes.add(&reference.at, reason, hint);
                return None;
            }
        };
        let named = self.named_type(&target, reference);
        named.or_else(|| self.unnamed(text, &target, reference))
    }

    /// The type of a target that has one in Rust: an object, an enum, a union.
    fn named_type(&mut self, target: &Target, reference: &Node) -> Option<Shape> {
        let (described, rust) = (self.documents.node(target)?, self.documents.rust(target));
        let nullable = kind(described).is_some_and(|(_, nullable)| nullable);
        if is_struct(described) {
            self.alone.insert(rust.clone(), reference.at.clone());
            return Some(Shape { nullable, ..Shape::plain(Type::Struct(rust)) });
        }
        if is_enum(described) {
            return Some(Shape { nullable, ..Shape::plain(Type::Enum(rust)) });
        }
        if let Some(union) = super::union::Union::of(described) {
            return Some(Shape { nullable: union.nullable, ..Shape::plain(Type::Union(rust)) });
        }
        None
    }

    /// Any other target is read as if it stood in place of the `$ref`.
    fn unnamed(&mut self, text: &str, target: &Target, reference: &Node) -> Option<Shape> {
        if self.visiting.contains(target) {
            let reason = format!("`$ref` \"{text}\" leads back to itself");
            let begun = self.visiting.iter().position(|visited| visited == target);
            let hint = match begun.is_some_and(|begun| begun < self.around) {
                true => "give the object a name in `$defs`",
                false => "a type may contain itself through an object's property only",
            };
            self.mistakes.add(&reference.at, reason, hint);
            return None;
        }
        let (documents, described) = (self.documents, self.documents.node(target)?);
        self.visiting.push(target.clone());
        let shape = self.shape(described, &Scope::of(documents, target));
        self.visiting.pop();
        shape
    }
}
