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
    let checked: Vec<_> = item.variants.iter().map(|field| (field, check_value(field, item.dialect, set))).collect();
    let arms = checked.iter().filter(|(_, checks)| !checks.is_empty()).map(|(field, checks)| {
        let (variant, name) = (ident(&field.rust), &field.name);
        let ask = ask(checks);
        quote!(Self::#variant(value) => check.value(#name, value, #ask),)
    });
    let rest = checked.iter().any(|(_, checks)| checks.is_empty()).then(|| quote!(_ => {}));
    implement(&type_path(&item.rust), &quote!(match self { #(#arms)* #rest }))
}

fn implement(name: &TokenStream, checks: &TokenStream) -> TokenStream {
    let private = private();
    // What must be there may have no more to check: a number, a UUID.
    let check = if checks.is_empty() { quote!(_) } else { quote!(check) };
    quote! {
        impl #private::Rules for #name {
            fn check(&self, #check: &mut #private::Check) { #checks }
        }
    }
}

/// One call for a field that has something to check: by how it is stored, and whether it must be there.
fn check_field(field: &Field, dialect: Dialect, set: &Contracts) -> TokenStream {
    let (private, name, rust) = (private(), &field.name, ident(&field.rust));
    let checks = check_value(field, dialect, set);
    let ask = ask(&checks);
    let required = field.key || field.rules.required;
    let is_optional = field.presence != Presence::Plain;
    match (checks.is_empty(), is_optional, required) {
        (true, true, true) => quote!(check.present(#name, &self.#rust, |_, _| {});),
        (true, ..) => TokenStream::new(),
        // The names of a oneof's members stand for it.
        _ if matches!(field.ty, Type::Union(_)) && dialect == Dialect::Protobuf => {
            quote!(if let Some(value) = &self.#rust { #private::Rules::check(value, check); })
        }
        (_, false, _) => quote!(check.value(#name, &self.#rust, #ask);),
        (_, true, true) => quote!(check.present(#name, &self.#rust, #ask);),
        (_, true, false) => quote!(check.optional(#name, &self.#rust, #ask);),
    }
}

/// The closure that makes the checks.
fn ask(checks: &[TokenStream]) -> TokenStream {
    match checks {
        [check] => quote!(|value, check| #check),
        checks => quote!(|value, check| { #(#checks;)* }),
    }
}

/// The checks of `value`, a reference to the field's value where it is there.
fn check_value(field: &Field, dialect: Dialect, set: &Contracts) -> Vec<TokenStream> {
    let empty = (field.key || field.rules.required).then(|| not_empty(field, dialect)).flatten();
    empty.into_iter().chain(check_type(&field.ty, &field.rules, set)).collect()
}

/// The same for a value that is no field of its own: an item of a list, a value of a map.
fn check_type(ty: &Type, rules: &Rules, set: &Contracts) -> Vec<TokenStream> {
    let unique = rules.unique.then(|| unique(ty));
    let format = rules.format.map(|format| {
        let function = ident(match format {
            Format::Date => "date",
            Format::Email => "email",
            Format::Uri => "uri",
        });
        quote!(check.#function(value))
    });
    let inner = match (ty, &rules.items) {
        (_, Some(rules)) => items(ty, rules, set),
        (Type::List(item), None) if item.is_collection() => items(ty, &Rules::default(), set),
        (Type::Map(_, item), None) if item.is_collection() => items(ty, &Rules::default(), set),
        _ => inner(ty, set),
    };
    let own = lengths(rules).into_iter().chain(pattern(rules)).chain(ranges(ty, rules));
    own.chain(unique).chain(format).chain(inner).collect()
}

/// Items are compared as JSON; a time is no type of ours, so how it is written is told.
fn unique(ty: &Type) -> TokenStream {
    let private = private();
    let form = if let Type::List(item) = ty { form_of_times(item) } else { None };
    match form {
        Some(form) => quote!(check.unique(&#private::json_schema::written::<#form>(value))),
        None => quote!(check.unique(value)),
    }
}

/// The marker of what holds times, directly or in lists and maps.
fn form_of_times(ty: &Type) -> Option<TokenStream> {
    let private = private();
    Some(match ty {
        Type::WellKnown(_) => quote!(#private::json_schema::DateTime),
        Type::List(item) => {
            let item = form_of_times(item)?;
            quote!(#private::json_schema::List<#item>)
        }
        Type::Map(_, item) => {
            let item = form_of_times(item)?;
            quote!(#private::json_schema::Map<#item>)
        }
        _ => return None,
    })
}

/// The regular expression is compiled once, when it is first needed.
fn pattern(rules: &Rules) -> Option<TokenStream> {
    let (private, pattern) = (private(), rules.pattern.as_ref()?);
    Some(quote!({
        static PATTERN: #private::Pattern = #private::Pattern::new(#pattern);
        check.pattern(value, &PATTERN)
    }))
}

/// What `required` asks of a value that is there; a number or a bool is never empty.
fn not_empty(field: &Field, dialect: Dialect) -> Option<TokenStream> {
    match (&field.ty, dialect) {
        (Type::Scalar(Scalar::Text | Scalar::Bytes) | Type::List(_) | Type::Map(..), _) => {
            Some(quote!(check.not_empty(value)))
        }
        (Type::Enum(_), Dialect::Protobuf) => Some(quote!(check.not_zero(*value))),
        _ => None,
    }
}

fn lengths(rules: &Rules) -> Option<TokenStream> {
    let bound = |bound: Option<u64>| match bound {
        Some(bound) => {
            let bound = Literal::u64_unsuffixed(bound);
            quote!(Some(#bound))
        }
        None => quote!(None),
    };
    let (min, max) = (bound(rules.min_length), bound(rules.max_length));
    match (rules.min_length, rules.max_length) {
        (None, None) => None,
        _ => Some(quote!(check.length(value, #min, #max))),
    }
}

fn ranges(ty: &Type, rules: &Rules) -> Vec<TokenStream> {
    let is_narrow = matches!(ty, Type::Scalar(Scalar::Float) | Type::WellKnown("Float"));
    let bounds =
        [("at_least", rules.minimum), ("at_most", rules.maximum), ("above", rules.above), ("below", rules.below)];
    bounds
        .into_iter()
        .filter_map(|(function, bound)| Some((ident(function), bound?)))
        .map(|(function, bound)| (function, if is_narrow { narrow(bound) } else { bound }))
        .map(|(function, bound)| (function, Literal::f64_unsuffixed(bound)))
        .map(|(function, bound)| quote!(check.#function(*value, #bound)))
        .collect()
}

/// The bound as a `float` holds it: `0.1` of 32 bits is a little more than `0.1` of 64. One that is too large or too
/// small for a `float` stays what it is.
fn narrow(bound: f64) -> f64 {
    let nearest = f64::from(bound as f32);
    if nearest.is_normal() { nearest } else { bound }
}

/// The checks of each item of a list, of each value of a map.
fn items(ty: &Type, rules: &Rules, set: &Contracts) -> Option<TokenStream> {
    let (function, item) = match ty {
        Type::List(item) => (ident("items"), item),
        Type::Map(_, item) => (ident("entries"), item),
        _ => return None,
    };
    let checks = check_type(item, rules, set);
    let ask = ask(&checks);
    (!checks.is_empty()).then(|| quote!(check.#function(value, #ask)))
}

/// The checks of what the value contains.
fn inner(ty: &Type, set: &Contracts) -> Option<TokenStream> {
    if !ty.reference().is_some_and(|to| set.has_rules(to)) {
        return None;
    }
    let private = private();
    Some(match ty {
        Type::List(_) => quote!(check.each(value)),
        Type::Map(..) => quote!(check.each_entry(value)),
        _ => quote!(#private::Rules::check(value, check)),
    })
}
