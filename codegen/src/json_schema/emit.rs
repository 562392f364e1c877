//! The Rust types of JSON Schema contracts: structs and enums with serde attributes, in modules as they nest.
//!
//! How values look in JSON is told by markers of the library (`json_schema::Integer`, `List<…>`), which the
//! fields name in `#[serde(with = …)]`.

use proc_macro2::TokenStream;
use quote::quote;

use super::marker::{is_plain, marker, stored};
use crate::{
    Config,
    emit::{builder, docs, ident, library, private, type_path},
    model::{Contracts, Dialect, Enum, EnumValue, Field, Layout, Package, Presence, Struct, TypeRef, Union},
};

/// The structs and enums of a package that come from JSON Schema; `emit` adds the events' impls.
pub(crate) fn emit(package: &Package, set: &Contracts, config: Config) -> TokenStream {
    let structs = package.structs.iter().filter(|item| item.dialect == Dialect::JsonSchema);
    let enums = package.enums.iter().filter(|item| item.dialect == Dialect::JsonSchema);
    let unions = package.unions.iter().filter(|item| item.dialect == Dialect::JsonSchema);
    let structs = structs.map(|item| (&item.rust, structure(item, set.layout(&item.rust), config)));
    let enums = enums.map(|item| (&item.rust, enumeration(item)));
    let unions = unions.map(|item| (&item.rust, union(item)));
    let mut items: Vec<_> = structs.chain(enums).chain(unions).collect();
    items.sort_by_key(|(rust, _)| *rust);
    modules(&items, 0)
}

/// `json_schema::Described` of the package's objects with a file of their own.
pub(crate) fn described(package: &Package) -> TokenStream {
    let texts = package.layouts.iter().filter_map(|(rust, layout)| Some((rust, layout.text.as_ref()?)));
    let described = texts.filter_map(|(rust, text)| {
        let item = package.structs.iter().find(|item| item.rust == *rust)?;
        let (private, path, name) = (private(), type_path(rust), &item.name);
        Some(quote! {
            impl #private::json_schema::Described for #path {
                const NAME: &'static str = #name;
                const TEXT: &'static str = #text;
            }
            #private::json_described!(#path);
        })
    });
    described.collect()
}

/// The items at this depth, then the modules below with theirs.
fn modules(items: &[(&TypeRef, TokenStream)], depth: usize) -> TokenStream {
    let here = items.iter().filter(|(rust, _)| rust.path.len() == depth + 1).map(|(_, tokens)| tokens);
    let below: Vec<_> = items.iter().filter(|(rust, _)| rust.path.len() > depth + 1).cloned().collect();
    let below = below.chunk_by(|(left, _), (right, _)| left.path[depth] == right.path[depth]).map(|inside| {
        let (name, inner) = (&inside[0].0.path[depth], modules(inside, depth + 1));
        let (docs, name) = (format!(" What is nested in `{}`.", crate::emit::camel(name)), ident(name));
        quote! {
            #[doc = #docs]
            pub mod #name { #inner }
        }
    });
    quote!(#(#here)* #(#below)*)
}

fn structure(item: &Struct, layout: Option<&Layout>, config: Config) -> TokenStream {
    let (library, docs, name) = (library(), docs(&item.docs), ident(type_name(&item.rust)));
    let (derive, builder) = builder::of_struct(config);
    let closed = layout.is_some_and(|layout| layout.closed).then(|| quote!(, deny_unknown_fields));
    let fields = item.fields.iter().map(|field| {
        let nullable = layout.is_some_and(|layout| layout.nullable.contains(&field.name));
        structure_field(field, &item.rust, nullable, config)
    });
    // Another stands where a property is personal: see `emit::debug`.
    let debug = item.fields.iter().all(|field| !field.personal).then(|| quote!(Debug,));
    quote! {
        #(#docs)*
        #[derive(
            #debug Clone, PartialEq,
            #library::serde::Serialize, #library::serde::Deserialize, #derive
        )]
        #[serde(crate = "::tegami::__private::serde" #closed)]
        #builder
        pub struct #name { #(#fields),* }
    }
}

fn structure_field(field: &Field, owner: &TypeRef, nullable: bool, config: Config) -> TokenStream {
    let (docs, name) = (docs(&field.docs), ident(&field.rust));
    let (serde, builder) = (serde(field, owner, nullable), config.builders.then(|| setter(field)));
    let stored = stored(&field.ty, owner);
    let stored = match field.presence {
        Presence::Plain => stored,
        Presence::Option => quote!(Option<#stored>),
        Presence::Boxed => quote!(Option<Box<#stored>>),
    };
    quote!(#(#docs)* #serde #builder pub #name: #stored)
}

fn serde(field: &Field, owner: &TypeRef, nullable: bool) -> TokenStream {
    let rename = (field.rust.trim_start_matches("r#") != field.json).then(|| {
        let name = &field.json;
        quote!(rename = #name)
    });
    let with = (!is_plain(&field.ty) || nullable).then(|| {
        let form = marker(field, owner);
        let with = format!("::tegami::__private::json_schema::As::<{form}>").replace(' ', "");
        quote!(with = #with)
    });
    let absent = (field.presence != Presence::Plain && !nullable)
        .then(|| quote!(default, skip_serializing_if = "Option::is_none"));
    let parts: Vec<_> = [rename, with, absent].into_iter().flatten().collect();
    if parts.is_empty() { TokenStream::new() } else { quote!(#[serde(#(#parts),*)]) }
}

/// How the builder sets a field: it insists on what the contract requires.
fn setter(field: &Field) -> TokenStream {
    match (field.presence, builder::converts(&field.ty)) {
        (Presence::Plain, false) => TokenStream::new(),
        (Presence::Plain, true) => quote!(#[builder(setter(into))]),
        (_, false) => quote!(#[builder(default, setter(strip_option))]),
        (_, true) => quote!(#[builder(default, setter(strip_option, into))]),
    }
}

fn enumeration(item: &Enum) -> TokenStream {
    let (library, docs, name) = (library(), docs(&item.docs), ident(type_name(&item.rust)));
    let values: Vec<_> = item.values.iter().map(|EnumValue { name, rust, .. }| (name, ident(rust))).collect();
    let variants = values.iter().map(|(name, rust)| {
        let docs = format!(" `{name}`");
        quote!(#[doc = #docs] #[serde(rename = #name)] #rust)
    });
    let texts = values.iter().map(|(name, rust)| quote!(Self::#rust => #name));
    quote! {
        #(#docs)*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            #library::serde::Serialize, #library::serde::Deserialize
        )]
        #[serde(crate = "::tegami::__private::serde")]
        pub enum #name { #(#variants),* }
        impl #name {
            /// The value as the contract names it.
            pub const fn as_str(self) -> &'static str {
                match self { #(#texts),* }
            }
        }
        impl ::std::convert::From<#name> for ::std::string::String {
            fn from(value: #name) -> Self { value.as_str().into() }
        }
    }
}

fn union(item: &Union) -> TokenStream {
    let (library, docs_, name) = (library(), docs(&item.docs), ident(type_name(&item.rust)));
    let tag = item.tag.as_deref().unwrap_or_default();
    let variants = item.variants.iter().map(|field| {
        let (docs, json, variant, stored) =
            (docs(&field.docs), &field.json, ident(&field.rust), stored(&field.ty, &item.rust));
        let stored = if field.presence == Presence::Boxed { quote!(Box<#stored>) } else { stored };
        quote!(#(#docs)* #[serde(rename = #json)] #variant(#stored))
    });
    quote! {
        #(#docs_)*
        #[derive(Debug, Clone, PartialEq, #library::serde::Serialize, #library::serde::Deserialize)]
        #[serde(crate = "::tegami::__private::serde", tag = #tag)]
        pub enum #name { #(#variants),* }
    }
}

/// The name of a type in its module.
fn type_name(rust: &TypeRef) -> &str {
    rust.path.last().map_or("", String::as_str)
}
