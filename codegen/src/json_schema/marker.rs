//! How a value of the model is stored in Rust, and the library's marker for how it looks in JSON.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    emit::{library, relative},
    model::{Field, Presence, Scalar, Type, TypeRef},
};

/// The Rust type that holds a value, seen from the module of the type that has the field.
pub(crate) fn stored(ty: &Type, owner: &TypeRef) -> TokenStream {
    let library = library();
    match ty {
        Type::Scalar(Scalar::Bool) => quote!(bool),
        Type::Scalar(Scalar::Int64) => quote!(i64),
        Type::Scalar(Scalar::Double) => quote!(f64),
        Type::Scalar(Scalar::Uuid) => quote!(#library::Uuid),
        Type::WellKnown(_) => quote!(#library::prost_types::Timestamp),
        Type::Enum(to) | Type::Struct(to) | Type::Union(to) => from_inside(to, owner),
        Type::List(item) => {
            let item = stored(item, owner);
            quote!(Vec<#item>)
        }
        Type::Map(_, item) => {
            let item = stored(item, owner);
            quote!(::std::collections::BTreeMap<String, #item>)
        }
        Type::Scalar(_) => quote!(String),
    }
}

/// Does plain serde read and write exactly what the contract says?
pub(crate) fn is_plain(ty: &Type) -> bool {
    matches!(ty, Type::Scalar(Scalar::Text | Scalar::Bool))
}

/// The marker of a field's value, whether it is optional included.
pub(crate) fn marker(field: &Field, owner: &TypeRef) -> TokenStream {
    let library = library();
    let stored = stored(&field.ty, owner);
    let boxed = match (&field.ty, field.presence) {
        (Type::Struct(_) | Type::Union(_), Presence::Boxed) => quote!(#library::json_schema::Object<Box<#stored>>),
        (ty, _) => form(ty, owner),
    };
    match field.presence {
        Presence::Plain => boxed,
        Presence::Option | Presence::Boxed => quote!(#library::json_schema::Maybe<#boxed>),
    }
}

/// The marker of a value that is there.
pub(crate) fn form(ty: &Type, owner: &TypeRef) -> TokenStream {
    let (library, stored) = (library(), stored(ty, owner));
    let form = match ty {
        Type::Scalar(Scalar::Int64) => quote!(Integer),
        Type::Scalar(Scalar::Double) => quote!(Number),
        Type::Scalar(Scalar::Uuid) => quote!(Uuid),
        Type::Scalar(_) => quote!(Plain<#stored>),
        Type::WellKnown(_) => quote!(DateTime),
        Type::Enum(_) => quote!(Choice<#stored>),
        Type::Struct(_) | Type::Union(_) => quote!(Object<#stored>),
        Type::List(item) => {
            let item = form(item, owner);
            quote!(List<#item>)
        }
        Type::Map(_, item) => {
            let item = form(item, owner);
            quote!(Map<#item>)
        }
    };
    quote!(#library::json_schema::#form)
}

/// The path of a type from inside the module of another.
fn from_inside(to: &TypeRef, owner: &TypeRef) -> TokenStream {
    let up = owner.path.iter().skip(1).map(|_| quote!(super::));
    let path = relative(to, &owner.package);
    quote!(#(#up)* #path)
}
