//! How each protobuf type looks as JSON: which marker of the library stands for which field.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{describe, enums::names};
use crate::{
    emit::{ident, private, relative, type_path},
    model::{Contracts, Dialect, Field, Package, Presence, Scalar, Struct, Type, Union},
};

/// `json::Object` of the package's messages and `json::EnumNames` of its enums.
pub(super) fn emit(package: &Package, set: &Contracts) -> TokenStream {
    let structs = package.structs.iter().filter(|item| item.dialect == Dialect::Protobuf);
    let enums = package.enums.iter().filter(|item| item.dialect == Dialect::Protobuf);
    structs.map(|item| object(item, set)).chain(enums.map(names)).collect()
}

fn object(item: &Struct, set: &Contracts) -> TokenStream {
    let (private, path, name) = (private(), type_path(&item.rust), &item.name);
    let json = Json::of(item, set);
    let write: TokenStream = item.fields.iter().map(|field| json.write(field)).collect();
    let read: TokenStream = item.fields.iter().map(|field| json.read(field)).collect();
    let describe = describe::function(item, &json);
    let (out, map) = if item.fields.is_empty() { (quote!(_), quote!(_)) } else { (quote!(out), quote!(map)) };
    quote! {
        impl __json::Object for #path {
            const NAME: &'static str = #name;
            fn write<__M: #private::serde::ser::SerializeMap>(&self, #out: &mut __M) -> Result<(), __M::Error> {
                #write
                Ok(())
            }
            fn read<'de, __A: #private::serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                #map: &mut __A,
            ) -> Result<Option<u32>, __A::Error> {
                match name {
                    #read
                    _ => Ok(None),
                }
            }
            #describe
        }
        #private::json_object!(#path);
    }
}

/// The JSON of one message's fields.
pub(super) struct Json<'a> {
    set: &'a Contracts,
    package: &'a str,
    /// What fields are called in JSON.
    names: BTreeSet<&'a str>,
}

impl<'a> Json<'a> {
    fn of(item: &'a Struct, set: &'a Contracts) -> Self {
        let mut json = Self::within(&item.rust.package, set);
        for field in &item.fields {
            match json.union(field) {
                Some((union, _)) => json.names.extend(union.variants.iter().map(|member| &*member.json)),
                None => drop(json.names.insert(&field.json)),
            }
        }
        json
    }

    /// For fields that nobody reads.
    pub(super) fn within(package: &'a str, set: &'a Contracts) -> Self {
        Self { set, package, names: BTreeSet::new() }
    }

    /// The name in JSON, and the contract's own, which readers must take too; unless another field is called so in JSON.
    fn spellings(&self, field: &Field) -> TokenStream {
        let Field { name, json, .. } = field;
        if self.names.contains(&**name) { quote!(#json) } else { quote!(#json | #name) }
    }

    /// The union a field holds, with the path of its Rust enum.
    pub(super) fn union(&self, field: &Field) -> Option<(&'a Union, TokenStream)> {
        let Type::Union(to) = &field.ty else { return None };
        Some((self.set.find_union(to)?, relative(to, self.package)))
    }

    fn write(&self, field: &Field) -> TokenStream {
        let (rust, json) = (ident(&field.rust), &field.json);
        if let Some((union, path)) = self.union(field) {
            let arms = union.variants.iter().map(|member| {
                let (variant, json, marker) = (ident(&member.rust), &member.json, self.marker(member));
                quote!(Some(#path::#variant(value)) => __json::put_always::<#marker, _>(out, #json, value)?,)
            });
            return quote!(match &self.#rust { #(#arms)* None => {} });
        }
        let marker = self.marker(field);
        let put = ident(if field.presence == Presence::Plain { "put" } else { "put_some" });
        quote!(__json::#put::<#marker, _>(out, #json, &self.#rust)?;)
    }

    fn read(&self, field: &Field) -> TokenStream {
        let rust = ident(&field.rust);
        let number = Literal::u32_unsuffixed(field.number.unwrap_or_default());
        if let Some((union, path)) = self.union(field) {
            let arms = union.variants.iter().map(|member| {
                let (spellings, variant, marker) = (self.spellings(member), ident(&member.rust), self.marker(member));
                quote! {
                    #spellings => __json::choose::<#marker, _>(map, #number, |value| self.#rust = Some(#path::#variant(value))),
                }
            });
            return quote!(#(#arms)*);
        }
        let (spellings, marker) = (self.spellings(field), self.marker(field));
        let get = ident(if field.presence == Presence::Plain { "get" } else { "get_some" });
        quote! {
            #spellings => {
                self.#rust = __json::#get::<#marker, _>(map)?;
                Ok(Some(#number))
            }
        }
    }

    /// The library's type that knows how the field's value looks as JSON.
    pub(super) fn marker(&self, field: &Field) -> TokenStream {
        match (&field.ty, field.presence) {
            (Type::Struct(to), Presence::Boxed) => {
                let to = relative(to, self.package);
                quote!(__json::Boxed<#to>)
            }
            (ty, _) => self.type_marker(ty),
        }
    }

    fn type_marker(&self, ty: &Type) -> TokenStream {
        match ty {
            Type::Scalar(scalar) => {
                let marker = ident(scalar_marker(*scalar));
                quote!(__json::#marker)
            }
            Type::WellKnown(marker) => {
                let marker = ident(marker);
                quote!(__json::#marker)
            }
            Type::Enum(to) => {
                let to = relative(to, self.package);
                quote!(__json::Enum<#to>)
            }
            Type::Struct(to) | Type::Union(to) => {
                let to = relative(to, self.package);
                quote!(__json::Nested<#to>)
            }
            Type::List(item) => {
                let item = self.type_marker(item);
                quote!(__json::List<#item>)
            }
            Type::Map(key, value) => {
                let (key, value) = (self.type_marker(&Type::Scalar(*key)), self.type_marker(value));
                quote!(__json::Map<#key, #value>)
            }
        }
    }
}

fn scalar_marker(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "Bool",
        Scalar::Int32 => "Int32",
        Scalar::Int64 => "Int64",
        Scalar::UInt32 => "UInt32",
        Scalar::UInt64 => "UInt64",
        Scalar::Float => "Float",
        Scalar::Double => "Double",
        Scalar::Text | Scalar::Uuid => "Text",
        Scalar::Bytes => "Blob",
    }
}
