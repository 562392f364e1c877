//! JSON Schema contracts: read into the model, and their types as Rust.

use proc_macro2::TokenStream;

use crate::{
    model::{Contracts, Mistakes, Package},
    sources::Source,
};

/// Reads the `*.schema.json` files; what is wrong in them goes to `mistakes`.
pub(crate) fn read(_sources: &[Source], _mistakes: &mut Mistakes) -> Vec<Package> {
    Vec::new()
}

/// The structs and enums of a package that come from JSON Schema; `emit` adds the events' impls.
pub(crate) fn emit(_package: &Package, _set: &Contracts) -> TokenStream {
    TokenStream::new()
}
