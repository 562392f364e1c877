//! Lets prost write the types, and adds what they need here: documentation, builders, the library's paths.
//!
//! prost-build matches attributes by prefix, so they are not given to it: its output is parsed, and each item
//! is found in the model by its exact place.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
};

use proc_macro2::TokenStream;
use prost_build::{Config as Prost, Module};
use prost_reflect::{
    DescriptorPool,
    prost_types::{
        DescriptorProto, FieldDescriptorProto,
        field_descriptor_proto::{Label, Type},
    },
};
use quote::ToTokens;
use syn::visit_mut::VisitMut;

use super::enrich::Enrich;
use crate::{Config, model::Contracts};

/// The types of each package that has protobuf in it.
///
/// # Errors
/// prost refuses the contracts although they were checked.
pub(super) fn generate(
    pool: &DescriptorPool,
    set: &Contracts,
    config: Config,
) -> Result<BTreeMap<String, TokenStream>, String> {
    let mut output = run(pool)?;
    let mut types = BTreeMap::new();
    for package in set.packages() {
        let Some(code) = output.remove(&Module::from_protobuf_package_name(&package.name)) else { continue };
        let mut code = syn::parse_file(&code).map_err(|error| error.to_string())?;
        Enrich::new(set, &package.name, config).visit_file_mut(&mut code);
        types.insert(package.name.clone(), code.items.iter().map(ToTokens::to_token_stream).collect());
    }
    Ok(types)
}

/// Puts a list of numbers before a message's fields; [`Enrich`] takes it out again.
///
/// prost asks each message whether it could be `Copy` or `Eq`, and what is inside it, and inside that, which takes
/// minutes and all of the stack where messages are chained. A list of floating-point numbers is the answer at once.
fn mark(message: &mut DescriptorProto) {
    let mut list = FieldDescriptorProto { name: Some("mark".to_owned()), number: Some(0), ..Default::default() };
    list.set_label(Label::Repeated);
    list.set_type(Type::Double);
    if !message.options.as_ref().is_some_and(|options| options.map_entry()) {
        message.field.insert(0, list);
    }
    message.nested_type.iter_mut().for_each(mark);
}

/// prost's own output. It panics about some contracts; those that `check` knows do not come here.
fn run(pool: &DescriptorPool) -> Result<HashMap<Module, String>, String> {
    let requests = pool.files().map(|file| {
        let mut file = file.file_descriptor_proto().clone();
        // The model has the comments; prost would look for some that are not there.
        file.source_code_info = None;
        file.message_type.iter_mut().for_each(mark);
        (Module::from_protobuf_package_name(file.package()), file)
    });
    let requests: Vec<_> = requests.collect();
    let prost = || Prost::new().btree_map(["."]).format(false).generate(requests);
    let output = catch_unwind(AssertUnwindSafe(prost));
    output.map_err(|_| "prost gave up".to_owned())?.map_err(|error| error.to_string())
}
