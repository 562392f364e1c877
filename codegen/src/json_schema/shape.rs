//! What one schema means for a value: its type, its rules, and whether it may be null.

use super::{
    keywords::ELSEWHERE,
    node::{Node, Value},
    reader::{Reader, Scope},
};
use crate::model::{Rules, Scalar, Type};

/// How deep schemas may nest, through `$ref` too: deep enough for people, shallow enough for the stack.
const MAX_DEPTH: usize = 64;

/// What a schema says of a value.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) ty: Type,
    pub(crate) rules: Rules,
    pub(crate) nullable: bool,
}

impl Shape {
    pub(crate) fn plain(ty: Type) -> Self {
        Self { ty, rules: Rules::default(), nullable: false }
    }
}

/// The types of JSON Schema, null aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "string" => Kind::Text,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "boolean" => Kind::Boolean,
            "array" => Kind::Array,
            "object" => Kind::Object,
            _ => return None,
        })
    }
}

/// The kind a schema declares or implies, and whether null is allowed too: by the type, and by the values where they
/// are listed.
pub(crate) fn kind(node: &Node) -> Option<(Kind, bool)> {
    let (kind, nullable) = typed(node)?;
    let mut listed = ["enum", "const"].into_iter().filter_map(|name| node.get(name)).peekable();
    if listed.peek().is_none() {
        return Some((kind, nullable));
    }
    let by_type = nullable || node.get("type").is_none();
    Some((kind, by_type && listed.all(has_null)))
}

/// Is null this value, or among these?
fn has_null(values: &Node) -> bool {
    let is_null = |node: &Node| matches!(node.value, Value::Null);
    is_null(values) || values.items().iter().any(is_null)
}

/// The same by the type alone.
fn typed(node: &Node) -> Option<(Kind, bool)> {
    let implied = || match node {
        _ if node.get("properties").is_some() => Some(Kind::Object),
        _ if node.get("enum").is_some() || node.get("const").is_some() => Some(Kind::Text),
        _ => None,
    };
    let Some(declared) = node.get("type") else { return Some((implied()?, false)) };
    let (names, nullable) = match &declared.value {
        Value::Text(name) => (vec![name.as_str()], false),
        _ => {
            let names: Vec<_> = declared.items().iter().filter_map(Node::text).collect();
            (names.iter().copied().filter(|name| *name != "null").collect(), names.contains(&"null"))
        }
    };
    match names[..] {
        [name] => Some((Kind::parse(name)?, nullable)),
        _ => None,
    }
}

/// Does the schema describe an object with named properties, hence a struct?
pub(crate) fn is_struct(node: &Node) -> bool {
    let is_map = node.get("additionalProperties").is_some_and(Node::is_object);
    kind(node).is_some_and(|(kind, _)| kind == Kind::Object)
        && node.get("oneOf").is_none()
        && (!is_map || node.get("properties").is_some())
}

pub(crate) fn is_enum(node: &Node) -> bool {
    kind(node).is_some_and(|(kind, _)| kind == Kind::Text)
        && (node.get("enum").is_some() || node.get("const").is_some())
}

impl Reader<'_> {
    /// Reads a schema. Types that it describes in place get their Rust type from the scope.
    pub(crate) fn shape(&mut self, node: &Node, scope: &Scope) -> Option<Shape> {
        if self.depth == MAX_DEPTH {
            self.refuse(
                node,
                "the schemas are nested too deeply",
                "give the inner ones a type of their own in `$defs`",
            );
            return None;
        }
        self.depth += 1;
        let shape = self.shape_inside(node, scope);
        self.depth -= 1;
        shape
    }

    fn shape_inside(&mut self, node: &Node, scope: &Scope) -> Option<Shape> {
        if !node.is_object() {
            self.refuse(node, &format!("a schema is an object, not {}", node.kind()), "say which `type` the value has");
            return None;
        }
        if let Some(reference) = node.get("$ref") {
            return self.reference(node, reference, scope);
        }
        if node.get("oneOf").is_some() {
            return self.one_of(node, scope);
        }
        let Some((kind, nullable)) = kind(node) else {
            let hint =
                "one of string, integer, number, boolean, array, object; with null beside it: [\"string\", \"null\"]";
            let at = node.get("type").unwrap_or(node);
            self.allow(node, ELSEWHERE);
            let reason = match at.text() {
                Some(name) => format!("there is no type `{name}`"),
                None => "the schema has no single `type`".to_owned(),
            };
            self.refuse(at, &reason, hint);
            return None;
        };
        let shape = match kind {
            Kind::Text if is_enum(node) => self.enumeration(node, scope),
            Kind::Text => self.text(node),
            Kind::Integer | Kind::Number => self.number(node, kind),
            Kind::Boolean => self.boolean(node),
            Kind::Array => self.array(node, scope),
            Kind::Object if is_struct(node) => self.object(node, scope),
            Kind::Object => self.map(node, scope),
        }?;
        Some(Shape { nullable, ..shape })
    }

    fn boolean(&mut self, node: &Node) -> Option<Shape> {
        self.allow(node, &["type"]);
        Some(Shape::plain(Type::Scalar(Scalar::Bool)))
    }

    fn array(&mut self, node: &Node, scope: &Scope) -> Option<Shape> {
        self.allow(node, &["type", "items", "minItems", "maxItems", "uniqueItems"]);
        let Some(items) = node.get("items") else {
            self.refuse(
                node,
                "the array has no `items`",
                "say what its items are: `\"items\": { \"type\": \"string\" }`",
            );
            return None;
        };
        let item = self.item(items, scope)?;
        let mut rules = Rules { items: item.rules.boxed(), ..Rules::default() };
        self.lengths(node, ["minItems", "maxItems"], &mut rules);
        rules.unique = self.flag(node, "uniqueItems");
        Some(Shape { rules, ..Shape::plain(Type::List(Box::new(item.ty))) })
    }

    fn map(&mut self, node: &Node, scope: &Scope) -> Option<Shape> {
        self.allow(node, &["type", "additionalProperties", "minProperties", "maxProperties"]);
        let item = self.item(node.get("additionalProperties")?, scope)?;
        let mut rules = Rules { items: item.rules.boxed(), ..Rules::default() };
        self.lengths(node, ["minProperties", "maxProperties"], &mut rules);
        Some(Shape { rules, ..Shape::plain(Type::Map(Scalar::Text, Box::new(item.ty))) })
    }

    fn item(&mut self, node: &Node, scope: &Scope) -> Option<Shape> {
        let item = self.shape(node, scope)?;
        if item.nullable {
            self.refuse(node, "an item or entry may not be null", "leave null items out of the list");
            return None;
        }
        Some(item)
    }
}
