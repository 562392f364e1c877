//! Whether a reader with one contract reads all that a writer with another may write: the heart of the gate.
//!
//! The walk goes through both contracts at once and notes every value that the writer may write and the reader refuses,
//! misreads or does not see. It does not know which of the two is the older: `compare` walks both ways.
//!
//! A field is the same field on both sides when it has the same name, or, where no field of that name is there, the
//! same number.

mod enums;
mod fields;
mod kinds;

use std::collections::BTreeMap;

use super::{Encoding, rule::Cause, values::is_filled};
use crate::{
    lock::{Body, Field, Item, Lock, Object, Type},
    model::{Location, Rules},
};

/// What happens to data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    Lost,
    Misread,
    Refused,
}

/// Something that the reader does not read as it was written.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) cause: Cause,
    pub(super) effect: Effect,
    /// The field, from the event: `line.sku`.
    pub(super) path: String,
    /// The number of the object it is in.
    pub(super) object: usize,
    /// The field, from that object: `sku`.
    pub(super) member: String,
    pub(super) writer: Side,
    pub(super) reader: Side,
}

/// What one contract says there, and where.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    pub(super) text: String,
    pub(super) at: Location,
}

/// A type on the writer's side with the one that reads it, and where.
pub(super) struct Pair<'a> {
    pub(super) writer: &'a Item,
    pub(super) reader: &'a Item,
    pub(super) path: String,
}

/// What was met in one event in one encoding.
pub(super) struct Walked<'a> {
    pub(super) problems: Vec<Problem>,
    pub(super) pairs: Vec<Pair<'a>>,
    pub(super) ways: Vec<Way>,
    /// How many objects there are. The event's number is 0.
    pub(super) objects: usize,
}

/// A field that has an object in it. Many may lead to one object, which is looked at once.
pub(super) struct Way {
    pub(super) from: usize,
    /// The field, from the object that it is in.
    pub(super) member: String,
    pub(super) to: usize,
}

/// Every problem with one event in one encoding, and the objects that were met on the way.
pub(super) fn walk<'a>(writer: &'a Lock, reader: &'a Lock, event: &str, encoding: Encoding) -> Walked<'a> {
    let first = Open { object: 0, from: event.to_owned(), into: event.to_owned(), path: String::new() };
    let mut walk = Walk {
        writer,
        reader,
        encoding,
        object: 0,
        place: String::new(),
        path: String::new(),
        seen: BTreeMap::new(),
        open: vec![first],
        ways: Vec::new(),
        found: Vec::new(),
    };
    let mut pairs = Vec::new();
    while let Some(Open { object, from, into, path }) = walk.open.pop() {
        let Some((from, into)) = writer.items.get(&from).zip(reader.items.get(&into)) else { continue };
        (walk.object, walk.place) = (object, path);
        walk.objects(from, into);
        pairs.push(Pair { writer: from, reader: into, path: std::mem::take(&mut walk.place) });
    }
    Walked { problems: walk.found, pairs, ways: walk.ways, objects: walk.seen.len() + 1 }
}

struct Walk<'a> {
    writer: &'a Lock,
    reader: &'a Lock,
    encoding: Encoding,
    /// The number of the object that is looked at, and where it was met first.
    object: usize,
    place: String,
    /// Where in it.
    path: String,
    /// The numbers of the objects that were met in fields.
    seen: BTreeMap<(String, String), usize>,
    /// Pairs of objects still to be looked at. Contracts may be longer than a stack.
    open: Vec<Open>,
    ways: Vec<Way>,
    found: Vec<Problem>,
}

/// A pair of objects still to be looked at, with where it was met first.
struct Open {
    object: usize,
    from: String,
    into: String,
    path: String,
}

/// A value: its type, what is asked of it, and whether it must have something in it.
#[derive(Clone, Copy)]
struct Value<'a> {
    ty: &'a Type,
    rules: &'a Rules,
    is_filled: bool,
}

impl<'a> Value<'a> {
    fn of(field: &'a Field) -> Self {
        Self { ty: &field.ty, rules: &field.rules, is_filled: is_filled(field) }
    }
}

/// A field as both sides have it.
#[derive(Clone, Copy)]
struct Both<'a> {
    from: &'a Field,
    into: &'a Field,
}

impl<'a> Walk<'a> {
    fn objects(&mut self, from: &'a Item, into: &'a Item) {
        if from.dialect != into.dialect {
            let side = |item: &Item| Side { text: format!("{:?}", item.dialect), at: item.at.clone() };
            return self.note(Cause::Dialect, Effect::Refused, [side(from), side(into)]);
        }
        let (Body::Object(theirs), Body::Object(ours)) = (&from.body, &into.body) else { return };
        for field in &ours.fields {
            self.path.clone_from(&field.name);
            self.field((from, theirs), (into, ours), field);
        }
        for field in theirs.fields.iter().filter(|field| ours.closed && find(ours, &field.name).is_none()) {
            self.path.clone_from(&field.name);
            self.note(Cause::Unknown, Effect::Refused, [side(field), none(&into.at)]);
        }
        self.path.clear();
        self.oneofs(theirs, into, ours);
    }

    fn is_enum(&self, lock: &Lock, ty: &Type) -> bool {
        let item = if let Type::Named(name) = ty { lock.items.get(name) } else { None };
        item.is_some_and(|item| matches!(item.body, Body::Enum(_)))
    }

    fn differ(&mut self, cause: Cause, effect: Effect, Both { from, into }: Both<'a>) {
        self.note(cause, effect, [side(from), side(into)]);
    }

    /// A problem with one value of an enum, or one variant.
    fn note_value(&mut self, value: &str, cause: Cause, effect: Effect, Both { from, into }: Both<'a>) {
        let place = self.path.clone();
        self.path = format!("{place}={value}");
        self.note(cause, effect, [side(from), side(into)]);
        self.path = place;
    }

    fn note(&mut self, cause: Cause, effect: Effect, [writer, reader]: [Side; 2]) {
        let (path, member) = (self.whole_path(), self.path.clone());
        self.found.push(Problem { cause, effect, path, object: self.object, member, writer, reader });
    }

    /// Where this is, from the event.
    fn whole_path(&self) -> String {
        if self.path.is_empty() { self.place.clone() } else { join(&self.place, &self.path) }
    }
}

static NO_RULES: Rules = Rules {
    required: false,
    min_length: None,
    max_length: None,
    pattern: None,
    minimum: None,
    maximum: None,
    above: None,
    below: None,
    unique: false,
    format: None,
    items: None,
};

/// The same field on the other side.
pub(super) fn counterpart<'a>(field: &Field, own: &Object, other: &'a Object) -> Option<&'a Field> {
    let renamed = || {
        let field = other.fields.iter().find(|other| field.number.is_some() && other.number == field.number)?;
        find(own, &field.name).is_none().then_some(field)
    };
    find(other, &field.name).or_else(renamed)
}

pub(super) fn find<'a>(object: &'a Object, name: &str) -> Option<&'a Field> {
    object.fields.iter().find(|field| field.name == name)
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

pub(super) fn side(field: &Field) -> Side {
    Side { text: super::text::field(field), at: field.at.clone() }
}

/// There is nothing; the place is that of what is around it.
fn none(at: &Location) -> Side {
    Side { text: String::new(), at: at.clone() }
}
