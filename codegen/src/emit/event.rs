//! `impl Event` and the filter functions of one event.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{docs, ident, library, private, relative, type_path};
use crate::model::{
    Contracts, Dialect, Event, Field, Presence, Rules, Scalar, Struct, Type, fingerprint, paths, personal_paths,
};

/// `impl Event`; nothing for a struct that is none.
pub(crate) fn event(item: &Struct, set: &Contracts) -> TokenStream {
    let Some(event) = &item.event else { return TokenStream::new() };
    let (private, name) = (private(), type_path(&item.rust));
    let (contract, format) = (contract(item, event, set), format(item.dialect));
    let (key, attributes, validate) = (key(item), attributes(item), validate(item, set));
    let (schema, personal) = (schema(item, set), of_persons(item, set));
    quote! {
        impl #private::Event for #name {
            const CONTRACT: &'static #private::Contract = &#contract;
            type Format = #private::#format;
            fn key(&self) -> Option<::std::borrow::Cow<'_, str>> { #key }
            fn attributes(&self) -> #private::Attributes { #attributes }
            fn validate(&self) -> Result<(), #private::Invalid> { #validate }
            fn schema() -> #private::schemars::Schema { #schema }
            #personal
        }
    }
}

/// Which fields are personal, and whose data they are; nothing where none is.
fn of_persons(item: &Struct, set: &Contracts) -> Option<TokenStream> {
    let (private, paths) = (private(), personal_paths(item, set).expect("an event with more paths was refused"));
    if paths.is_empty() {
        return None;
    }
    let subject = item.fields.iter().find(|field| field.subject);
    let name = match subject {
        Some(Field { name, .. }) => quote!(Some(#name)),
        None => quote!(None),
    };
    let value = subject.map(|field| {
        let rust = ident(&field.rust);
        let value = match field.ty {
            Type::Scalar(Scalar::Text) => quote!(self.#rust.as_str().into()),
            _ => quote!(self.#rust.to_string().into()),
        };
        quote!(fn subject(&self) -> Option<::std::borrow::Cow<'_, str>> { Some(#value) })
    });
    Some(quote! {
        const PERSONAL: Option<&'static #private::PersonalFields> =
            Some(&#private::PersonalFields { paths: &[#(#paths),*], subject: #name });
        #value
        fn walk_personal(&mut self, walk: &mut #private::Walk) -> Result<(), #private::BoxError> {
            #private::Personal::walk(self, walk)
        }
    })
}

fn format(dialect: Dialect) -> TokenStream {
    match dialect {
        Dialect::Protobuf => quote!(Protobuf),
        Dialect::JsonSchema => quote!(JsonSchema),
    }
}

/// The contract's own text, where that is a JSON Schema already.
fn schema(item: &Struct, set: &Contracts) -> TokenStream {
    let private = private();
    match set.layout(&item.rust) {
        Some(_) => quote!(#private::json_schema::schema_of::<Self>()),
        None => quote!(#private::json::schema_of::<Self>()),
    }
}

fn contract(item: &Struct, event: &Event, set: &Contracts) -> TokenStream {
    let private = private();
    let Event { topic, routing_key, ordered, .. } = event;
    let version = Literal::u32_unsuffixed(event.version);
    let (name, fingerprint, shares_topic) = (&item.name, fingerprint(item, set), set.shares_topic(topic));
    let source = format!("{}:{}", item.at.file, item.at.line);
    let key = match item.fields.iter().find(|field| field.key) {
        Some(Field { name, .. }) => quote!(Some(#name)),
        None => quote!(None),
    };
    let attributes = item.fields.iter().filter(|field| field.attribute).map(|Field { name, ty, .. }| {
        let kind = ident(kind(ty));
        quote!(#private::DeclaredAttribute { name: #name, kind: #private::AttributeKind::#kind })
    });
    let fields = paths(item, set);
    quote! {
        #private::Contract {
            name: #name,
            version: #version,
            topic: #topic,
            shares_topic: #shares_topic,
            routing_key: #routing_key,
            key: #key,
            attributes: &[#(#attributes),*],
            fields: &[#(#fields),*],
            ordered: #ordered,
            fingerprint: #fingerprint,
            source: #source,
        }
    }
}

/// The variant of the library's `AttributeKind`; `check` has refused what has none.
fn kind(ty: &Type) -> &'static str {
    match ty {
        Type::Scalar(Scalar::Bool) => "Bool",
        Type::Scalar(Scalar::Text | Scalar::Bytes | Scalar::Uuid) => "Text",
        Type::Scalar(_) => "Number",
        _ => "Text",
    }
}

fn key(item: &Struct) -> TokenStream {
    let Some(field) = item.fields.iter().find(|field| field.key) else { return quote!(None) };
    let name = ident(&field.rust);
    let is_text = field.ty == Type::Scalar(Scalar::Text);
    match (field.presence, is_text) {
        (Presence::Plain, true) => quote!(Some(self.#name.as_str().into())),
        (Presence::Plain, false) => quote!(Some(self.#name.to_string().into())),
        (_, true) => quote!(self.#name.as_deref().map(Into::into)),
        (_, false) => quote!(self.#name.as_ref().map(|key| key.to_string().into())),
    }
}

fn attributes(item: &Struct) -> TokenStream {
    let private = private();
    let fields: Vec<_> = item.fields.iter().filter(|field| field.attribute).collect();
    if fields.is_empty() {
        return quote!(#private::Attributes::new());
    }
    let set = fields.iter().map(|field| attribute(item, field));
    quote! {
        let mut attributes = #private::Attributes::new();
        #(#set)*
        attributes
    }
}

fn attribute(item: &Struct, field: &Field) -> TokenStream {
    let name = ident(&field.rust);
    if field.presence == Presence::Plain {
        return set_attribute(item, field, &quote!(self.#name));
    }
    let set = set_attribute(item, field, &quote!(value));
    quote!(if let Some(value) = self.#name.clone() { #set })
}

/// Sets the attribute from a place that holds the value.
fn set_attribute(item: &Struct, Field { name, ty, .. }: &Field, value: &TokenStream) -> TokenStream {
    match (ty, item.dialect) {
        (Type::Scalar(Scalar::Text), _) => quote!(attributes.set_text(#name, &#value);),
        (Type::Scalar(Scalar::Uuid), _) => quote!(attributes.set_text(#name, &#value.to_string());),
        (Type::Enum(_), Dialect::JsonSchema) => quote!(attributes.set_text(#name, #value.as_str());),
        (Type::Enum(to), Dialect::Protobuf) => {
            let (private, to) = (private(), relative(to, &item.rust.package));
            quote!(attributes.set_text(#name, &#private::json::enum_name::<#to>(#value));)
        }
        _ => quote!(attributes.set(#name, #value);),
    }
}

fn validate(item: &Struct, set: &Contracts) -> TokenStream {
    let private = private();
    match set.has_rules(&item.rust) {
        true => quote!(#private::Check::run(self)),
        false => quote!(Ok(())),
    }
}

/// A function for each attribute, to filter on it.
pub(crate) fn filters(item: &Struct) -> TokenStream {
    let name = type_path(&item.rust);
    let filters: Vec<_> = item.fields.iter().filter(|field| field.attribute).map(filter).collect();
    if item.event.is_none() || filters.is_empty() {
        return TokenStream::new();
    }
    quote! {
        impl #name {
            #(#filters)*
        }
    }
}

fn filter(Field { name, rust, ty, rules, .. }: &Field) -> TokenStream {
    let (library, function) = (library(), ident(rust));
    let field = ident(&format!("{}Field", kind(ty)));
    let within = range(ty, rules).map(|(least, most)| {
        let (least, most) = (Literal::i128_unsuffixed(least), Literal::i128_unsuffixed(most));
        quote!(.within(#least, #most))
    });
    let docs = docs(&format!("The `{name}` attribute, to filter on."));
    quote! {
        #(#docs)*
        pub const fn #function() -> #library::#field<Self> { #library::#field::new(#name) #within }
    }
}

/// The least and the most that the rules allow a whole number to be; nothing where they ask nothing.
///
/// Brokers compare numbers within limits of theirs, and a filter is told to them only where the contract stays inside.
fn range(ty: &Type, rules: &Rules) -> Option<(i128, i128)> {
    let (least, most) = match ty {
        Type::Scalar(Scalar::Int32) => (i32::MIN.into(), i32::MAX.into()),
        Type::Scalar(Scalar::Int64) => (i64::MIN.into(), i64::MAX.into()),
        Type::Scalar(Scalar::UInt32) => (0, u32::MAX.into()),
        Type::Scalar(Scalar::UInt64) => (0, u64::MAX.into()),
        _ => return None,
    };
    // Bounds that are no whole numbers: the first one inside. Beyond every integer they are cut by the type.
    let lows = [rules.minimum.map(f64::ceil), rules.above.map(|above| above.floor() + 1.0)];
    let highs = [rules.maximum.map(f64::floor), rules.below.map(|below| below.ceil() - 1.0)];
    let least = lows.into_iter().flatten().fold(least, |least: i128, low| least.max(low as i128));
    let most = highs.into_iter().flatten().fold(most, |most: i128, high| most.min(high as i128));
    let is_asked = [rules.minimum, rules.above, rules.maximum, rules.below].iter().any(Option::is_some);
    (is_asked && least <= most).then_some((least, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_has_the_range_that_its_type_and_its_rules_leave() {
        let rules = |minimum, above, maximum, below| Rules { minimum, above, maximum, below, ..Rules::default() };
        let some = |scalar, rules: Rules| range(&Type::Scalar(scalar), &rules);
        assert_eq!(some(Scalar::Int32, rules(Some(18.0), None, Some(150.0), None)), Some((18, 150)));
        assert_eq!(some(Scalar::Int64, rules(None, Some(0.0), None, Some(10.0))), Some((1, 9)));
        assert_eq!(some(Scalar::Int64, rules(Some(0.5), Some(-7.0), Some(9.5), Some(9.5))), Some((1, 9)));
        assert_eq!(some(Scalar::Int32, rules(None, None, Some(0.0), None)), Some((i32::MIN.into(), 0)));
        assert_eq!(some(Scalar::UInt32, rules(None, None, Some(1e9), None)), Some((0, 1_000_000_000)));
        assert_eq!(some(Scalar::UInt64, rules(Some(-1e300), None, Some(1e300), None)), Some((0, u64::MAX.into())));
        assert_eq!(some(Scalar::Int64, rules(None, None, None, None)), None);
        assert_eq!(some(Scalar::Int64, rules(None, Some(0.0), None, Some(1.0))), None);
        assert_eq!(some(Scalar::Double, rules(Some(0.0), None, Some(1.0), None)), None);
    }
}
