//! Rust identifiers and paths.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::model::TypeRef;

/// An identifier of the model, which writes keywords as `r#type`.
pub(crate) fn ident(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(keyword) => Ident::new_raw(keyword, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

/// The path of a type, seen from the top of a package's file.
pub(crate) fn relative(to: &TypeRef, package: &str) -> TokenStream {
    let path = type_path(to);
    if to.package == package {
        return path;
    }
    let (from, into) = (segments(package), segments(&to.package));
    let shared = from.iter().zip(&into).take_while(|(left, right)| left == right).count();
    let up = from[shared..].iter().map(|_| quote!(super::));
    let down = into[shared..].iter().map(|segment| ident(&module(segment)));
    quote!(#(#up)* #(#down::)* #path)
}

/// The path of a type inside its own package.
pub(crate) fn type_path(to: &TypeRef) -> TokenStream {
    let path = to.path.iter().map(|segment| ident(segment));
    quote!(#(#path)::*)
}

fn segments(package: &str) -> Vec<&str> {
    package.split('.').filter(|segment| !segment.is_empty()).collect()
}

/// The module of one segment of a package's name.
pub(crate) fn module(segment: &str) -> String {
    snake(segment)
}

/// A snake-case identifier, kept from being a keyword in the way of prost-build.
pub(crate) fn snake(name: &str) -> String {
    use heck::ToSnakeCase;
    sanitize(name.to_snake_case())
}

/// An upper-camel-case identifier, kept from being a keyword in the way of prost-build.
pub(crate) fn camel(name: &str) -> String {
    use heck::ToUpperCamelCase;
    sanitize(name.to_upper_camel_case())
}

fn sanitize(name: String) -> String {
    match name.as_str() {
        "" => "_empty".to_owned(),
        "gen" => "r#gen".to_owned(),
        "self" | "super" | "extern" | "crate" | "Self" | "_" => format!("{name}_"),
        _ if name.starts_with(|first: char| first.is_numeric()) => format!("_{name}"),
        _ if syn::parse_str::<syn::Ident>(&name).is_err() => format!("r#{name}"),
        _ => name,
    }
}
