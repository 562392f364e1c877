//! The attributes that give a struct its builder.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, parse_quote};

use super::library;
use crate::{
    Config,
    model::{Field, Presence, Scalar, Type},
};

/// The derive of a struct's builder, and the attribute that goes with it; nothing when builders are off.
pub(crate) fn of_struct(config: Config) -> (TokenStream, Option<Attribute>) {
    if !config.builders {
        return Default::default();
    }
    let library = library();
    let attribute = parse_quote!(#[builder(crate_module_path = #library::typed_builder, doc)]);
    (quote!(#library::typed_builder::TypedBuilder), Some(attribute))
}

/// How the builder sets a field.
pub(crate) fn of_field(field: &Field, config: Config) -> Option<Attribute> {
    let default = if field.key || field.rules.required { TokenStream::new() } else { quote!(default,) };
    let setter = match (field.presence, converts(&field.ty)) {
        (Presence::Plain, true) => quote!(setter(into)),
        (Presence::Plain, false) if default.is_empty() => return None,
        (Presence::Plain, false) => return config.builders.then(|| parse_quote!(#[builder(default)])),
        (_, true) => quote!(setter(strip_option, into)),
        (_, false) => quote!(setter(strip_option)),
    };
    config.builders.then(|| parse_quote!(#[builder(#default #setter)]))
}

/// Does the setter take what converts into the type? Not for numbers: a literal would no longer know its type.
pub(crate) fn converts(ty: &Type) -> bool {
    match ty {
        Type::Scalar(scalar) => matches!(scalar, Scalar::Text | Scalar::Bytes),
        Type::WellKnown(marker) => {
            !matches!(*marker, "Bool" | "Int32" | "Int64" | "UInt32" | "UInt64" | "Float" | "Double" | "Empty")
        }
        _ => true,
    }
}
