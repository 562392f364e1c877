//! How deep types hold one another.

use std::collections::BTreeMap;

use crate::model::{Contracts, Field, Location, Mistakes, TypeRef, groups};

/// The most messages inside one another that protobuf readers take, prost among them: a deeper one could not be read.
const LIMIT: usize = 100;

/// A struct or union with what it holds.
type Node<'a> = (&'a TypeRef, &'a String, &'a Location, &'a Vec<Field>);

pub(super) fn check(set: &Contracts, mistakes: &mut Mistakes) {
    let structs = set.structs().map(|item| (&item.rust, &item.name, &item.at, &item.fields));
    let unions = set.unions().map(|item| (&item.rust, &item.name, &item.at, &item.variants));
    let first_union = set.structs().count();
    let nodes: Vec<Node<'_>> = structs.chain(unions).collect();
    let edges = edges(&nodes);
    let groups = groups(&edges);
    let mut inside_out: Vec<usize> = (0..nodes.len()).collect();
    inside_out.sort_by_key(|node| groups[*node]);
    // Types that hold themselves count once: their values end wherever their author likes.
    let mut depths = vec![0; nodes.len()];
    for members in inside_out.chunk_by(|left, right| groups[*left] == groups[*right]) {
        let inner = members.iter().flat_map(|node| &edges[*node]).filter(|inner| groups[**inner] != groups[members[0]]);
        let below = inner.map(|inner| depths[*inner]).max().unwrap_or(0);
        for node in members {
            // A union is no message of its own.
            depths[*node] = below + usize::from(*node < first_union);
        }
    }
    // What holds such a type is deeper still; it is told once, where the limit is passed.
    for node in (0..first_union).filter(|node| depths[*node] == LIMIT + 1) {
        let (_, name, at, _) = nodes[node];
        let reason = format!("`{name}` holds messages {} deep, and {LIMIT} at most can be read", LIMIT + 1);
        mistakes.add(at, reason, "flatten it: let one message list what is chained now");
    }
}

fn edges(nodes: &[Node<'_>]) -> Vec<Vec<usize>> {
    let places: BTreeMap<_, _> = nodes.iter().enumerate().map(|(place, node)| (node.0, place)).collect();
    let inner =
        |fields: &Vec<Field>| fields.iter().filter_map(|field| places.get(field.ty.reference()?).copied()).collect();
    nodes.iter().map(|(.., fields)| inner(fields)).collect()
}
