//! How the values of a protobuf enum are named in JSON.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::{emit::type_path, model::Enum};

/// `json::EnumNames` of one enum, and its value's name as text: what filters compare.
pub(super) fn names(item: &Enum) -> TokenStream {
    let path = type_path(&item.rust);
    let names = item.values.iter().map(|value| &value.name);
    let mut known = BTreeSet::new();
    // prost knows one name for each number.
    let others = item.values.iter().filter(|value| !known.insert(value.number)).map(|value| {
        let (name, number) = (&value.name, Literal::i32_unsuffixed(value.number.unwrap_or_default()));
        quote!(#name => Some(#number),)
    });
    let others: Vec<_> = others.collect();
    let number = match others.is_empty() {
        true => quote!(Self::from_str_name(name).map(i32::from)),
        false => quote!(match name { #(#others)* _ => Self::from_str_name(name).map(i32::from) }),
    };
    quote! {
        impl __json::EnumNames for #path {
            const NAMES: &'static [&'static str] = &[#(#names),*];
            fn name(number: i32) -> Option<&'static str> {
                Self::try_from(number).ok().map(|value| value.as_str_name())
            }
            fn number(name: &str) -> Option<i32> { #number }
        }
        impl ::std::convert::From<#path> for ::std::string::String {
            fn from(value: #path) -> Self {
                value.as_str_name().into()
            }
        }
    }
}
