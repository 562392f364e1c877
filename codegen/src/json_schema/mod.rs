//! JSON Schema contracts: read into the model, and their types as Rust.
//!
//! `text` reads a file with positions, `documents` knows all files and what a `$ref` means, `reader` walks the
//! types (`shape`, `object`, `union`, …) and `finish` looks at them together; `emit` writes the Rust types.

mod bundle;
mod documents;
mod emit;
mod enumeration;
mod event;
mod finish;
mod keywords;
mod marker;
mod node;
mod object;
mod reader;
mod reference;
mod scalar;
mod shape;
mod text;
mod union;

pub(crate) use emit::emit;

use crate::{
    model::{Mistakes, Package},
    sources::Source,
};

/// Reads the `*.schema.json` files; what is wrong in them goes to `mistakes`.
pub(crate) fn read(sources: &[Source], mistakes: &mut Mistakes) -> Vec<Package> {
    let sources = sources.iter().filter(|source| source.name.ends_with(".json"));
    let documents = documents::Documents::read(sources, mistakes);
    let mut reader = reader::Reader::new(&documents, mistakes);
    reader.read();
    reader.finish();
    reader.packages.into_values().collect()
}
