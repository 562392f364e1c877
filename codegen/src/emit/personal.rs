//! What is said of persons: a `Debug` that does not tell it, and `impl Personal`, which finds it wherever it stands.

use proc_macro2::TokenStream;
use quote::quote;

use super::{ident, private, type_path};
use crate::{
    json_schema,
    model::{Contracts, Dialect, Field, Presence, Struct, Type, TypeRef, Union},
    protobuf,
};

/// `Debug` of a struct that has a personal field of its own; others derive it.
pub(crate) fn debug(item: &Struct) -> TokenStream {
    if !item.fields.iter().any(|field| field.personal) {
        return TokenStream::new();
    }
    let (private, name) = (private(), item.rust.path.last());
    let fields = item.fields.iter().map(|field| {
        let (rust, name) = (ident(&field.rust), field.rust.trim_start_matches("r#"));
        let value = if field.personal { quote!(#private::PERSONAL) } else { quote!(self.#rust) };
        quote!(.field(#name, &#value))
    });
    implement(&item.rust, &quote!(f.debug_struct(#name) #(#fields)* .finish()))
}

/// `Debug` of a oneof that has a personal member.
pub(crate) fn union_debug(item: &Union) -> TokenStream {
    if !item.variants.iter().any(|variant| variant.personal) {
        return TokenStream::new();
    }
    let private = private();
    let arms = item.variants.iter().map(|variant| {
        let (rust, name) = (ident(&variant.rust), &variant.rust);
        match variant.personal {
            true => quote!(Self::#rust(_) => f.debug_tuple(#name).field(&#private::PERSONAL).finish(),),
            false => quote!(Self::#rust(value) => f.debug_tuple(#name).field(value).finish(),),
        }
    });
    implement(&item.rust, &quote!(match self { #(#arms)* }))
}

fn implement(rust: &TypeRef, body: &TokenStream) -> TokenStream {
    let name = type_path(rust);
    quote! {
        impl ::std::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { #body }
        }
    }
}

/// `impl Personal` of a struct that has something personal in it.
pub(crate) fn personal(item: &Struct, set: &Contracts) -> TokenStream {
    let fields = item.fields.iter().filter_map(|field| {
        let rust = ident(&field.rust);
        step(field, item.dialect, &item.rust, set, &quote!(&mut self.#rust))
    });
    let steps = quote!(#(#fields;)*);
    walk(&item.rust, set, &steps)
}

/// The same of a union.
pub(crate) fn union_personal(item: &Union, set: &Contracts) -> TokenStream {
    let steps = item.variants.iter().map(|variant| (variant, variant_step(variant, item, set)));
    let steps: Vec<_> = steps.collect();
    let arms = steps.iter().filter_map(|(variant, step)| {
        let (rust, step) = (ident(&variant.rust), step.as_ref()?);
        Some(quote!(Self::#rust(value) => #step,))
    });
    let rest = steps.iter().any(|(_, step)| step.is_none()).then(|| quote!(_ => {}));
    walk(&item.rust, set, &quote!(match self { #(#arms)* #rest }))
}

/// JSON Schema writes what is in a variant beside the discriminator, so it has no name on the way.
fn variant_step(variant: &Field, item: &Union, set: &Contracts) -> Option<TokenStream> {
    let private = private();
    match item.dialect {
        Dialect::Protobuf => step(variant, item.dialect, &item.rust, set, &quote!(value)),
        Dialect::JsonSchema => {
            variant.ty.reference().filter(|to| set.has_personal(to))?;
            Some(quote!(#private::Personal::walk(value, walk)?))
        }
    }
}

fn walk(rust: &TypeRef, set: &Contracts, steps: &TokenStream) -> TokenStream {
    if !set.has_personal(rust) {
        return TokenStream::new();
    }
    let (private, name) = (private(), type_path(rust));
    quote! {
        impl #private::Personal for #name {
            fn walk(&mut self, walk: &mut #private::Walk) -> Result<(), #private::BoxError> {
                #steps
                Ok(())
            }
        }
    }
}

/// The step of the walk to one field, given a reference to its value; `None` where nothing in it is personal.
fn step(field: &Field, dialect: Dialect, owner: &TypeRef, set: &Contracts, value: &TokenStream) -> Option<TokenStream> {
    let (private, json) = (private(), &field.json);
    let is_there = field.presence == Presence::Plain;
    if field.personal {
        let (function, form) = match dialect {
            Dialect::Protobuf => ("codec", protobuf::codec(field, &owner.package, set)),
            Dialect::JsonSchema => ("form", whole_form(field, owner)),
        };
        let function = ident(&if is_there { function.to_owned() } else { format!("{function}_some") });
        return Some(quote!(#private::personal::#function::<#form>(walk, #json, #value)?));
    }
    field.ty.reference().filter(|to| set.has_personal(to))?;
    Some(match (&field.ty, dialect) {
        // The names of a oneof's members stand for it.
        (Type::Union(_), Dialect::Protobuf) => quote!(#private::Personal::walk(#value, walk)?),
        _ => quote!(walk.inside(#json, #value)?),
    })
}

/// The form of a value, seen from the top of the package's file.
fn whole_form(field: &Field, owner: &TypeRef) -> TokenStream {
    let top = TypeRef { package: owner.package.clone(), path: owner.path[..1].to_vec() };
    match field.presence {
        Presence::Boxed => {
            let private = private();
            let inner = field.ty.reference().map(|to| super::relative(to, &owner.package));
            quote!(#private::json_schema::Object<Box<#inner>>)
        }
        _ => json_schema::form(&field.ty, &top),
    }
}
