//! How deep types hold one another, in both encodings.

use std::collections::BTreeMap;

use crate::model::{Contracts, Field, Location, Mistakes, Type, TypeRef, groups};

/// A way to write values, whose readers take so many levels and no more: a deeper one could not be read.
#[derive(Clone, Copy)]
enum Encoding {
    /// Readers of protobuf, prost among them, take 100 messages inside one another.
    Protobuf,
    /// `serde_json` takes 127 objects and arrays inside one another.
    Json,
}

/// A struct or union, and the fields in it, each with the place of the struct or union that it holds.
struct Node<'a> {
    name: &'a str,
    at: &'a Location,
    fields: Vec<(&'a Field, Option<usize>)>,
    is_union: bool,
}

pub(super) fn check(set: &Contracts, mistakes: &mut Mistakes) {
    let types = set.structs().map(|item| &item.rust).chain(set.unions().map(|item| &item.rust));
    let places: BTreeMap<&TypeRef, usize> = types.enumerate().map(|(place, rust)| (rust, place)).collect();
    let held = |field: &Field| places.get(field.ty.reference()?).copied();
    let node = |name, at, fields, is_union| {
        let fields: &Vec<Field> = fields;
        Node { name, at, fields: fields.iter().map(|field| (field, held(field))).collect(), is_union }
    };
    let structs = set.structs().map(|item| node(item.name.as_str(), &item.at, &item.fields, false));
    let unions = set.unions().map(|item| node(item.name.as_str(), &item.at, &item.variants, true));
    let nodes: Vec<Node<'_>> = structs.chain(unions).collect();
    let edges = nodes.iter().map(|node| node.fields.iter().filter_map(|(_, held)| *held).collect());
    let groups = groups(&edges.collect::<Vec<_>>());
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        encoding.check(&nodes, &groups, mistakes);
    }
}

impl Encoding {
    fn check(self, nodes: &[Node<'_>], groups: &[usize], mistakes: &mut Mistakes) {
        let mut inside_out: Vec<usize> = (0..nodes.len()).collect();
        inside_out.sort_by_key(|node| groups[*node]);
        let mut depths = vec![0; nodes.len()];
        for members in inside_out.chunk_by(|left, right| groups[*left] == groups[*right]) {
            // Types that hold themselves count once: their values end wherever their author likes.
            let fields = members.iter().flat_map(|node| &nodes[*node].fields);
            let fields = fields.filter(|(_, held)| held.is_none_or(|held| groups[held] != groups[members[0]]));
            let below = fields.map(|(field, held)| (self.levels(field, *held), held.map_or(0, |held| depths[held])));
            let below: Vec<_> = below.collect();
            let deepest = below.iter().map(|(levels, depth)| levels + depth).max().unwrap_or(0);
            // What holds a type that is too deep is deeper still; it is told once, where the limit is passed.
            let is_told = below.iter().any(|(_, depth)| *depth > self.limit());
            for place in members {
                // A union is no level of its own.
                depths[*place] = deepest + usize::from(!nodes[*place].is_union);
                if depths[*place] > self.limit() && !is_told && !nodes[*place].is_union {
                    self.refuse(&nodes[*place], depths[*place], mistakes);
                }
            }
        }
    }

    /// The levels between the type that has the field and what the field holds, a struct or union or not.
    fn levels(self, field: &Field, held: Option<usize>) -> usize {
        match self {
            // An entry of a map is a message, too.
            Self::Protobuf => {
                usize::from(held.is_some() && field.number.is_some() && matches!(field.ty, Type::Map(..)))
            }
            Self::Json => collections(&field.ty),
        }
    }

    fn limit(self) -> usize {
        match self {
            Self::Protobuf => 100,
            Self::Json => 127,
        }
    }

    fn refuse(self, Node { name, at, .. }: &Node<'_>, depth: usize, mistakes: &mut Mistakes) {
        let limit = self.limit();
        let what = match self {
            Self::Protobuf => "messages",
            Self::Json => "objects and arrays of JSON",
        };
        let reason = format!("`{name}` holds {what} {depth} deep, and {limit} at most can be read");
        mistakes.add(at, reason, "flatten it: let one message list what is chained now");
    }
}

/// The lists and maps around the value.
fn collections(ty: &Type) -> usize {
    match ty {
        Type::List(item) | Type::Map(_, item) => 1 + collections(item),
        _ => 0,
    }
}
