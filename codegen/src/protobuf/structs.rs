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
use prost_reflect::DescriptorPool;
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

/// prost's own output. It panics about some contracts; those that `check` knows do not come here.
fn run(pool: &DescriptorPool) -> Result<HashMap<Module, String>, String> {
    let requests = pool.files().map(|file| {
        let mut file = file.file_descriptor_proto().clone();
        // The model has the comments; prost would look for some that are not there.
        file.source_code_info = None;
        (Module::from_protobuf_package_name(file.package()), file)
    });
    let requests: Vec<_> = requests.collect();
    let prost = || Prost::new().btree_map(["."]).format(false).generate(requests);
    let output = catch_unwind(AssertUnwindSafe(prost));
    output.map_err(|_| "prost gave up".to_owned())?.map_err(|error| error.to_string())
}
