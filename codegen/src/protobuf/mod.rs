//! Protobuf contracts: read into the model, and their types as Rust.
//!
//! `compile` runs the protobuf compiler (and `mend` runs it past mistakes), `read` fills the model, `structs` lets prost write the types, `json`
//! adds how they look as JSON.

mod compile;
mod describe;
mod enrich;
mod enums;
mod json;
mod locate;
mod mend;
mod options;
mod read;
mod structs;
mod types;

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use prost_reflect::DescriptorPool;

use crate::{
    Config,
    model::{Contracts, Field, Mistakes, Package},
    sources::Source,
};

/// Files that come from inside this crate or the compiler; nothing is generated for them.
fn is_builtin(file: &str) -> bool {
    file.starts_with("google/protobuf/") || file == compile::OPTIONS_FILE
}

/// Reads the `*.proto` files; what is wrong in them goes to `mistakes`.
pub(crate) fn read(sources: &[Source], mistakes: &mut Mistakes) -> (Vec<Package>, DescriptorPool) {
    let sources: Vec<_> = sources.iter().filter(|source| source.name.ends_with(".proto")).collect();
    let pool = compile::compile(&sources, mistakes);
    let cycles = types::Cycles::of(&pool);
    let packages = sources
        .iter()
        .filter(|source| !is_builtin(&source.name))
        .filter_map(|source| read::file(&pool.get_file_by_name(&source.name)?, source, &cycles, mistakes))
        .collect();
    (packages, pool)
}

/// The types of every package that has protobuf in it.
///
/// # Errors
/// What prost refuses although it was checked before.
pub(crate) fn types(
    pool: &DescriptorPool,
    set: &Contracts,
    config: Config,
) -> Result<BTreeMap<String, TokenStream>, String> {
    structs::generate(pool, set, config)
}

/// The codec of a field's value, seen from the top of the package's file.
pub(crate) fn codec(field: &Field, package: &str, set: &Contracts) -> TokenStream {
    json::Json::within(package, set).marker(field)
}

/// How the package's types look as JSON.
pub(crate) fn json(package: &Package, set: &Contracts) -> TokenStream {
    json::emit(package, set)
}
