//! Walks prost's items and adds to each what the model knows of it.

use quote::{ToTokens, quote};
use syn::{
    Attribute, Fields, ImplItem, Item, ItemEnum, ItemImpl, ItemMod, ItemStruct, Path, parse_quote,
    visit_mut::{VisitMut, visit_item_mod_mut, visit_path_mut},
};

use crate::{
    Config,
    emit::{builder, docs, library},
    model::{Contracts, Field, Struct, Type, TypeRef},
};

pub(super) struct Enrich<'a> {
    set: &'a Contracts,
    /// Where the walk is: the package, and the modules inside it.
    here: TypeRef,
    config: Config,
}

impl<'a> Enrich<'a> {
    pub(super) fn new(set: &'a Contracts, package: &str, config: Config) -> Self {
        Self { set, here: TypeRef { package: package.to_owned(), path: Vec::new() }, config }
    }

    fn find(&self, name: &syn::Ident) -> TypeRef {
        let mut item = self.here.clone();
        item.path.push(name.to_string());
        item
    }

    fn message(&self, code: &mut ItemStruct, item: &Struct) {
        let has_map = item.fields.iter().any(|field| matches!(field.ty, Type::Map(..)));
        let library = library();
        let is_personal = item.fields.iter().any(|field| field.personal);
        // prost's Debug names `::prost` when there is a map. Another stands where a field is personal: see `emit::debug`.
        let debug = (has_map && !is_personal).then(|| quote!(Debug,));
        let skip = (has_map || is_personal).then(skip_debug);
        let (derive, builder_attribute) = builder::of_struct(self.config);
        code.attrs = docs(&item.docs);
        code.attrs.push(parse_quote!(#[derive(Clone, PartialEq, #debug #library::prost::Message, #derive)]));
        code.attrs.push(parse_quote!(#[prost(prost_path = "::tegami::__private::prost")]));
        code.attrs.extend(skip);
        code.attrs.extend(builder_attribute);
        self.fields(code, item);
    }

    fn fields(&self, code: &mut ItemStruct, item: &Struct) {
        let Fields::Named(fields) = &mut code.fields else { return };
        // The first is not the contract's: see `structs::mark`.
        fields.named = std::mem::take(&mut fields.named).into_iter().skip(1).collect();
        for code in &mut fields.named {
            let name = code.ident.as_ref().map(ToString::to_string);
            let Some(field) = item.fields.iter().find(|field| Some(&field.rust) == name.as_ref()) else { continue };
            let mut attributes = docs(&field.docs);
            attributes.extend(code.attrs.drain(..).map(|attribute| without_getter(attribute, field)));
            attributes.extend(builder::of_field(field, self.config));
            code.attrs = attributes;
        }
    }

    fn union(&self, code: &mut ItemEnum, members: &[Field], text: &str) {
        let library = library();
        code.attrs = docs(text);
        code.attrs.push(parse_quote!(#[derive(Clone, PartialEq, #library::prost::Oneof)]));
        code.attrs.push(parse_quote!(#[prost(prost_path = "::tegami::__private::prost")]));
        code.attrs.extend(members.iter().any(|member| member.personal).then(skip_debug));
        document(code, members.iter().map(|member| (&member.rust, &member.docs)));
    }

    fn item(&self, code: &mut ItemEnum, item: &crate::model::Enum) {
        code.attrs.push(parse_quote!(#[prost(prost_path = "::tegami::__private::prost")]));
        code.attrs.splice(0..0, docs(&item.docs));
        document(code, item.values.iter().map(|value| (&value.rust, &value.docs)));
    }
}

impl VisitMut for Enrich<'_> {
    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        module.attrs = docs(&format!(
            "What is nested in `{}`.",
            heck::ToUpperCamelCase::to_upper_camel_case(module.ident.to_string().as_str())
        ));
        self.here.path.push(module.ident.to_string());
        visit_item_mod_mut(self, module);
        self.here.path.pop();
    }

    fn visit_item_mut(&mut self, code: &mut Item) {
        match code {
            Item::Struct(code) => {
                let place = self.find(&code.ident);
                self.set.find_struct(&place).into_iter().for_each(|item| self.message(code, item));
            }
            Item::Enum(code) => {
                let place = self.find(&code.ident);
                self.set.find_enum(&place).into_iter().for_each(|item| self.item(code, item));
                let union = self.set.find_union(&place);
                union.into_iter().for_each(|item| self.union(code, &item.variants, &item.docs));
            }
            Item::Impl(code) => shorten_docs(code),
            _ => {}
        }
        syn::visit_mut::visit_item_mut(self, code);
    }

    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        // Derives hold paths too, as tokens.
        if attribute.path().is_ident("derive") {
            let _ = attribute
                .parse_args_with(syn::punctuated::Punctuated::<Path, syn::Token![,]>::parse_terminated)
                .map(|mut paths| {
                    paths.iter_mut().for_each(|path| self.visit_path_mut(path));
                    *attribute = parse_quote!(#[derive(#paths)]);
                });
        }
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_path_mut(self, path);
        let text = path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::");
        let short = ["alloc::string::String", "alloc::vec::Vec", "alloc::boxed::Box", "core::option::Option"];
        let short = short.iter().any(|known| text.trim_start_matches("prost::") == *known);
        let last = path.segments.last().cloned();
        let Some(last) = last.filter(|_| path.leading_colon.is_some()) else { return };
        if short {
            *path = Path::from(last.ident.clone());
            path.segments[0].arguments = last.arguments;
        } else if text.ends_with("::BTreeMap") {
            let arguments = last.arguments;
            *path = parse_quote!(::std::collections::BTreeMap);
            path.segments[2].arguments = arguments;
        } else if text.starts_with("prost::") || text.starts_with("prost_types::") {
            let (library, rest) = (library(), path.segments.to_token_stream());
            *path = parse_quote!(#library::#rest);
        }
    }
}

/// Keeps prost from writing `Debug`.
fn skip_debug() -> Attribute {
    parse_quote!(#[prost(skip_debug)])
}

/// prost makes getters for enums, which would have the name of the filter function. As a plain number an enum
/// has the same bytes and no getter.
fn without_getter(attribute: Attribute, field: &Field) -> Attribute {
    let is_enum = matches!(field.ty, Type::Enum(_));
    match field.number {
        Some(number) if field.attribute && is_enum && attribute.path().is_ident("prost") => {
            let tag = number.to_string();
            parse_quote!(#[prost(int32, tag = #tag)])
        }
        _ => attribute,
    }
}

fn document<'a>(code: &mut ItemEnum, known: impl Iterator<Item = (&'a String, &'a String)> + Clone) {
    for variant in &mut code.variants {
        let name = variant.ident.to_string();
        if let Some((_, text)) = known.clone().find(|(rust, _)| **rust == name) {
            variant.attrs.splice(0..0, docs(text));
        }
    }
}

/// prost explains its two functions at length.
fn shorten_docs(code: &mut ItemImpl) {
    for item in &mut code.items {
        let ImplItem::Fn(function) = item else { continue };
        let text = match function.sig.ident.to_string().as_str() {
            "as_str_name" => "The name in the contract.",
            "from_str_name" => "The value of this name in the contract.",
            _ => continue,
        };
        function.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
        function.attrs.extend(docs(text));
    }
}
