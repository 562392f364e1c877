//! Turns the model into Rust tokens: what is the same for both languages of contracts.
//!
//! `event` is `impl Event` and the filter functions, `rules` the checks of values, `personal` what
//! is said of persons. The types themselves come
//! from `protobuf` and `json_schema`. Logic belongs into the library; what is emitted here only names it.

pub(crate) mod builder;
mod docs;
mod event;
mod names;
mod personal;
mod rules;

pub(crate) use docs::docs;
pub(crate) use event::{event, filters};
pub(crate) use names::{camel, ident, module, relative, snake, type_path};
pub(crate) use personal::{debug, personal, union_debug, union_personal};
pub(crate) use rules::{rules, union_rules};

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

/// Where a derive finds the library, in whatever module it stands.
pub(crate) fn library() -> TokenStream {
    quote!(::tegami::__private)
}

/// Where an impl finds the library, inside [`impls`].
pub(crate) fn private() -> TokenStream {
    quote!(__private)
}

/// Puts impls into a block, in which the library has short names; no contract can have the same.
pub(crate) fn impls(impls: &TokenStream) -> TokenStream {
    if impls.is_empty() {
        return TokenStream::new();
    }
    // An unused import would be a warning.
    let library = mentions(impls, "__private").then(|| {
        quote!(
            use ::tegami::__private;
        )
    });
    let json = mentions(impls, "__json").then(|| {
        quote!(
            use ::tegami::__private::json as __json;
        )
    });
    quote! {
        const _: () = {
            #library
            #json
            #impls
        };
    }
}

/// Is the identifier anywhere in the code?
fn mentions(code: &TokenStream, name: &str) -> bool {
    code.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}
