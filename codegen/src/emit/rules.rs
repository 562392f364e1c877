//! `impl Rules`: the checks of one struct's or union's values, and of what they contain.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{ident, private, type_path};
use crate::model::{Contracts, Dialect, Field, Format, Presence, Rules, Scalar, Struct, Type, Union};

/// The checks of a struct; nothing where no rule is in it.
pub(crate) fn rules(item: &Struct, set: &Contracts) -> TokenStream {
    if !set.has_rules(&item.rust) {
        return TokenStream::new();
    }
    let fields = item.fields.iter().map(|field| check_field(field, item.dialect, set));
    implement(&type_path(&item.rust), &quote!(#(#fields)*))
}

/// The checks of a union's variants; nothing where no rule is in it.
pub(crate) fn union_rules(item: &Union, set: &Contracts) -> TokenStream {
    if !set.has_rules(&item.rust) {
        return TokenStream::new();
    }
    let variants: Vec<_> = item.variants.iter().map(|field| (field, check_value(field, item.dialect, set))).collect();
    let arms = variants.iter().filter(|(_, checks)| !checks.is_empty()).map(|(field, checks)| {
        let (variant, name) = (ident(&field.rust), &field.json);
        quote!(Self::#variant(value) => check.field(#name, |check| { #checks }),)
    });
    let rest = variants.iter().any(|(_, checks)| checks.is_empty()).then(|| quote!(_ => {}));
    implement(&type_path(&item.rust), &quote!(match self { #(#arms)* #rest }))
}

fn implement(name: &TokenStream, checks: &TokenStream) -> TokenStream {
    let private = private();
    quote! {
        impl #private::Rules for #name {
            fn check(&self, check: &mut #private::Check) { #checks }
        }
    }
}

/// `check.field("name", |check| ...)` for a field that has something to check.
fn check_field(field: &Field, dialect: Dialect, set: &Contracts) -> TokenStream {
    let (name, rust) = (&field.json, ident(&field.rust));
    let checks = check_value(field, dialect, set);
    let required = field.key || field.rules.required;
    match (field.presence, required) {
        _ if checks.is_empty() && !(required && field.presence != Presence::Plain) => TokenStream::new(),
        (Presence::Plain, _) if matches!(field.ty, Type::Union(_)) && dialect == Dialect::Protobuf => {
            quote!(check.optional(#name, &self.#rust, |value, check| { #checks });)
        }
        (Presence::Plain, _) => quote!(check.value(#name, &self.#rust, |value, check| { #checks });),
        (_, true) => quote!(check.present(#name, &self.#rust, |value, check| { #checks });),
        (_, false) => quote!(check.optional(#name, &self.#rust, |value, check| { #checks });),
    }
}

/// The checks of `value`, a reference to the field's value where it is there.
fn check_value(field: &Field, dialect: Dialect, set: &Contracts) -> TokenStream {
    let required = (field.key || field.rules.required).then(|| not_empty(field, dialect)).flatten();
    let rules = check_type(&field.ty, &field.rules, set);
    quote!(#required #rules)
}

fn check_type(ty: &Type, rules: &Rules, set: &Contracts) -> TokenStream {
    let length = lengths(rules);
    let pattern = rules.pattern.as_ref().map(|pattern| quote!(check.pattern(value, #pattern);));
    let range = ranges(rules);
    let unique = rules.unique.then(|| quote!(check.unique(value);));
    let format = rules.format.map(|format| {
        let function = ident(match format {
            Format::DateTime => "date_time",
            Format::Date => "date",
            Format::Email => "email",
            Format::Uri => "uri",
        });
        quote!(check.#function(value);)
    });
    let inner = match &rules.items {
        Some(rules) => items(ty, rules, set),
        None => inner(ty, set),
    };
    quote!(#length #pattern #range #unique #format #inner)
}

/// What `required` asks of a value that is there; a number or a bool is never empty.
fn not_empty(field: &Field, dialect: Dialect) -> Option<TokenStream> {
    match (&field.ty, dialect) {
        (Type::Scalar(Scalar::Text | Scalar::Bytes) | Type::List(_) | Type::Map(..), _) => {
            Some(quote!(check.not_empty(value);))
        }
        (Type::Enum(_), Dialect::Protobuf) => Some(quote!(check.not_default(value);)),
        _ => None,
    }
}

fn lengths(rules: &Rules) -> TokenStream {
    let bound = |bound: Option<u64>| match bound {
        Some(bound) => {
            let bound = Literal::u64_unsuffixed(bound);
            quote!(Some(#bound))
        }
        None => quote!(None),
    };
    let (min, max) = (bound(rules.min_length), bound(rules.max_length));
    match (rules.min_length, rules.max_length) {
        (None, None) => TokenStream::new(),
        _ => quote!(check.length(value, #min, #max);),
    }
}

fn ranges(rules: &Rules) -> TokenStream {
    let bounds =
        [("at_least", rules.minimum), ("at_most", rules.maximum), ("above", rules.above), ("below", rules.below)];
    bounds
        .into_iter()
        .filter_map(|(function, bound)| Some((ident(function), Literal::f64_unsuffixed(bound?))))
        .map(|(function, bound)| quote!(check.#function(*value, #bound);))
        .collect()
}

/// The checks of each item of a list, of each value of a map.
fn items(ty: &Type, rules: &Rules, set: &Contracts) -> TokenStream {
    match ty {
        Type::List(item) => {
            let checks = check_type(item, rules, set);
            quote!(check.items(value, |value, check| { #checks });)
        }
        Type::Map(_, item) => {
            let checks = check_type(item, rules, set);
            quote!(check.entries(value, |value, check| { #checks });)
        }
        _ => TokenStream::new(),
    }
}

/// The checks of what the value contains.
fn inner(ty: &Type, set: &Contracts) -> TokenStream {
    if !ty.reference().is_some_and(|to| set.has_rules(to)) {
        return TokenStream::new();
    }
    let private = private();
    match ty {
        Type::List(_) => quote!(check.each(value);),
        Type::Map(..) => quote!(check.each_entry(value);),
        _ => quote!(#private::Rules::check(value, check);),
    }
}
