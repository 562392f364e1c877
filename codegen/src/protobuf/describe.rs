//! What a message says of itself in its JSON Schema: its fields, their comments and their rules.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::json::Json;
use crate::model::{Field, Presence, Scalar, Struct, Type};

/// The function of `json::Object` that describes a message.
pub(super) fn function(item: &Struct, json: &Json<'_>) -> TokenStream {
    let docs = one_line(&item.docs);
    let comment = (!docs.is_empty()).then(|| quote!(object.comment(#docs);));
    let fields: Vec<_> = item.fields.iter().flat_map(|field| describe(field, json)).collect();
    let object = if comment.is_none() && fields.is_empty() { quote!(_) } else { quote!(object) };
    quote! {
        fn describe(#object: &mut __json::Describe<'_>) {
            #comment
            #(#fields)*
        }
    }
}

/// A field, or each member of a oneof.
fn describe(field: &Field, json: &Json<'_>) -> Vec<TokenStream> {
    if let Some((union, _)) = json.union(field) {
        return union.variants.iter().flat_map(|member| describe(member, json)).collect();
    }
    let (marker, name, docs) = (json.marker(field), &field.json, one_line(&field.docs));
    let (must, rules) = (must_be_there(field), rules(field));
    let function = if must { quote!(required) } else { quote!(field) };
    vec![quote!(object.#function::<#marker>(#name, #docs)#rules;)]
}

/// Is JSON without the field always invalid? A plain number or bool is left out where it is 0 or false.
fn must_be_there(field: &Field) -> bool {
    let is_zero = matches!(&field.ty, Type::Scalar(scalar) if !matches!(scalar, Scalar::Text | Scalar::Bytes));
    (field.key || field.rules.required) && !(is_zero && field.presence == Presence::Plain)
}

/// Is the field invalid when it is there and empty?
fn must_be_filled(field: &Field) -> bool {
    let can_be_empty = field.ty.is_collection() || matches!(field.ty, Type::Scalar(Scalar::Text | Scalar::Bytes));
    (field.key || field.rules.required) && can_be_empty
}

fn rules(field: &Field) -> TokenStream {
    let rules = &field.rules;
    let bound = |bound: Option<u64>| match bound.map(Literal::u64_unsuffixed) {
        Some(bound) => quote!(Some(#bound)),
        None => quote!(None),
    };
    let least = rules.min_length.max(must_be_filled(field).then_some(1));
    let has_length = least.is_some() || rules.max_length.is_some();
    let (min, max) = (bound(least), bound(rules.max_length));
    let length = has_length.then(|| quote!(.length(#min, #max)));
    let pattern = rules.pattern.as_ref().map(|pattern| quote!(.pattern(#pattern)));
    let least = rules.minimum.map(Literal::f64_unsuffixed).map(|bound| quote!(.at_least(#bound)));
    let most = rules.maximum.map(Literal::f64_unsuffixed).map(|bound| quote!(.at_most(#bound)));
    let personal = field.personal.then(|| quote!(.personal()));
    quote!(#length #pattern #least #most #personal)
}

/// Comments are wrapped for editors; a description is one text.
fn one_line(docs: &str) -> String {
    docs.split_whitespace().collect::<Vec<_>>().join(" ")
}
