//! `impl Event` and the filter functions of one event.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{docs, ident, library, private, relative, type_path};
use crate::model::{Contracts, Dialect, Event, Field, Presence, Scalar, Struct, Type, fingerprint};

/// `impl Event`; nothing for a struct that is none.
pub(crate) fn event(item: &Struct, set: &Contracts) -> TokenStream {
    let Some(event) = &item.event else { return TokenStream::new() };
    let (private, name) = (private(), type_path(&item.rust));
    let (contract, format) = (contract(item, event, set), format(item.dialect));
    let (key, attributes, validate) = (key(item), attributes(item), validate(item, set));
    let schema = schema(item, set);
    quote! {
        impl #private::Event for #name {
            const CONTRACT: &'static #private::Contract = &#contract;
            type Format = #private::#format;
            fn key(&self) -> Option<::std::borrow::Cow<'_, str>> { #key }
            fn attributes(&self) -> #private::Attributes { #attributes }
            fn validate(&self) -> Result<(), #private::Invalid> { #validate }
            fn schema() -> #private::schemars::Schema { #schema }
        }
    }
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
    quote! {
        #private::Contract {
            name: #name,
            version: #version,
            topic: #topic,
            shares_topic: #shares_topic,
            routing_key: #routing_key,
            key: #key,
            attributes: &[#(#attributes),*],
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

fn filter(Field { name, rust, ty, .. }: &Field) -> TokenStream {
    let (library, function) = (library(), ident(rust));
    let field = ident(&format!("{}Field", kind(ty)));
    let docs = docs(&format!("The `{name}` attribute, to filter on."));
    quote! {
        #(#docs)*
        pub const fn #function() -> #library::#field<Self> { #library::#field::new(#name) }
    }
}
