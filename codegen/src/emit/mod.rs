//! Turns the model into Rust tokens: what is the same for both languages of contracts.
//!
//! `event` is `impl Event` and the filter functions, `rules` the checks of values. The types themselves come
//! from `protobuf` and `json_schema`. Logic belongs into the library; what is emitted here only names it.

pub(crate) mod builder;
mod docs;
mod event;
mod names;
mod rules;

pub(crate) use docs::docs;
pub(crate) use event::event;
pub(crate) use names::{camel, ident, module, relative, snake, type_path};
pub(crate) use rules::{rules, union_rules};

use proc_macro2::TokenStream;
use quote::quote;

/// Where generated code finds the library.
pub(crate) fn private() -> TokenStream {
    quote!(::tegami::__private)
}
