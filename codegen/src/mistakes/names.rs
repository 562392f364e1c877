//! Names that would clash in Rust.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    emit::module,
    model::{Contracts, Dialect, Field, Location, Mistakes, Presence, Struct, Type, TypeRef},
};

/// Types and traits that are everywhere in scope; generated code relies on them.
const PRELUDE: [&str; 26] = [
    "AsMut",
    "AsRef",
    "Box",
    "Clone",
    "Copy",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "From",
    "Into",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Some",
    "String",
    "ToOwned",
    "ToString",
    "Vec",
    "Self_",
];
/// Functions that every event has; a filter function of that name would hide one.
const FUNCTIONS: [&str; 19] = [
    "attributes",
    "builder",
    "clear",
    "clone",
    "decode",
    "default",
    "encode",
    "encode_to_vec",
    "encoded_len",
    "eq",
    "fmt",
    "into",
    "key",
    "merge",
    "schema",
    "serialize",
    "try_into",
    "validate",
    "write",
];

pub(super) fn check(set: &Contracts, mistakes: &mut Mistakes) {
    check_packages(set, mistakes);
    check_types(set, mistakes);
    for item in set.structs() {
        let fields = item.fields.iter().map(|field| (&field.rust, &field.name, &field.at));
        check_same(fields, "field", mistakes);
        check_functions(item, mistakes);
    }
    for item in set.unions() {
        check_same(item.variants.iter().map(|field| (&field.rust, &field.name, &field.at)), "variant", mistakes);
    }
    for item in set.enums() {
        let mut numbers = BTreeSet::new();
        // A second name for a number is no variant of its own.
        let values = item.values.iter().filter(|value| value.number.is_none_or(|number| numbers.insert(number)));
        let values: Vec<_> = values.collect();
        check_same(values.iter().map(|value| (&value.rust, &value.name, &value.at)), "variant", mistakes);
    }
}

/// Packages that differ, and whose modules do not: `shop.Orders` and `shop.orders`.
fn check_packages(set: &Contracts, mistakes: &mut Mistakes) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for package in set.packages() {
        let ends = package.name.match_indices('.').map(|(dot, _)| dot).chain([package.name.len()]);
        for name in ends.map(|end| &package.name[..end]) {
            let rust = name.split('.').map(module).collect::<Vec<_>>().join("::");
            let Some(first) = known.insert(rust.clone(), name).filter(|first| *first != name) else { continue };
            let reason = format!("the packages `{first}` and `{name}` are both the module `{rust}` in Rust");
            mistakes.add(&package.at, reason, "rename one of them");
        }
    }
}

/// Two names of a contract that are one in Rust.
fn check_same<'a>(
    names: impl Iterator<Item = (&'a String, &'a String, &'a Location)>,
    what: &str,
    mistakes: &mut Mistakes,
) {
    let mut known = BTreeMap::new();
    for (rust, name, at) in names {
        let Some(first) = known.insert(rust, name) else { continue };
        let reason = format!("`{first}` and `{name}` are both the {what} `{rust}` in Rust");
        mistakes.add(at, reason, "rename one of them");
    }
}

/// A type of any kind: where it is in Rust, its name in the contract, and where that stands.
type Named<'a> = (&'a TypeRef, &'a String, &'a Location);

fn check_types(set: &Contracts, mistakes: &mut Mistakes) {
    let structs = set.structs().map(|item| (&item.rust, &item.name, &item.at));
    let enums = set.enums().map(|item| (&item.rust, &item.name, &item.at));
    let unions = set.unions().map(|item| (&item.rust, &item.name, &item.at));
    let builders = set.structs().map(|item| builder(&item.rust)).collect();
    let packages = set.packages().flat_map(|package| modules(&package.name)).collect();
    let mut known: BTreeMap<&TypeRef, &String> = BTreeMap::new();
    for (rust, name, at) in structs.chain(enums).chain(unions) {
        check_type((rust, name, at), &builders, &packages, mistakes);
        if let Some(first) = known.insert(rust, name).filter(|first| *first != name) {
            let reason = format!("`{first}` and `{name}` are both the type `{}` in Rust", short(rust));
            mistakes.add(at, reason, "rename one of them");
        }
    }
}

/// Names that are taken by what is not in a contract.
fn check_type(
    (rust, name, at): Named<'_>,
    builders: &BTreeSet<TypeRef>,
    packages: &BTreeSet<(String, String)>,
    mistakes: &mut Mistakes,
) {
    // A `oneof result` is common, and its enum has a module of its own.
    if PRELUDE.contains(&short(rust)) && !(rust.path.len() > 1 && short(rust) == "Result") {
        mistakes.add(at, format!("`{name}` has the name of Rust's own `{}`", short(rust)), "rename it");
    }
    if builders.contains(rust) {
        let reason = format!("`{name}` has the name of the builder of another message");
        mistakes.add(at, reason, "rename it so that it does not end in `Builder`");
    }
    if rust.path.len() > 1 && packages.contains(&(rust.package.clone(), rust.path[0].clone())) {
        let reason = format!("`{name}` needs the module `{}`, which a package is already", rust.path[0]);
        mistakes.add(at, reason, "rename the message, or the package");
    }
}

fn short(rust: &TypeRef) -> &str {
    rust.path.last().map_or("", String::as_str)
}

fn builder(of: &TypeRef) -> TypeRef {
    let mut builder = of.clone();
    builder.path.last_mut().into_iter().for_each(|name| name.push_str("Builder"));
    builder
}

/// A package's modules, each with the package around it: `shop.orders` is `orders` in `shop`.
fn modules(package: &str) -> Vec<(String, String)> {
    let dots = package.match_indices('.').map(|(dot, _)| dot);
    dots.map(|dot| {
        let rest = &package[dot + 1..];
        (package[..dot].to_owned(), module(rest.split('.').next().unwrap_or(rest)))
    })
    .collect()
}

/// The functions of a struct's own: filters, the builder, and the getters prost makes.
fn check_functions(item: &Struct, mistakes: &mut Mistakes) {
    let mut refuse = |field: &Field, function: &str| {
        let what = if field.attribute { "attribute" } else { "field" };
        let reason = format!("{what} `{}` needs a function `{function}`, which there is already", field.name);
        mistakes.add(&field.at, reason, "rename the field");
    };
    item.fields.iter().filter(|field| field.rust == "build").for_each(|field| refuse(field, "build"));
    let mut known = BTreeSet::from(["builder".to_owned()]);
    for field in item.fields.iter().filter(|field| item.dialect == Dialect::Protobuf && !field.attribute) {
        for function in getters(field).into_iter().filter(|function| !known.insert(function.clone())) {
            refuse(field, &function);
        }
    }
    for field in item.fields.iter().filter(|field| field.attribute) {
        let name = field.rust.trim_start_matches("r#");
        if FUNCTIONS.contains(&name) || !known.insert(name.to_owned()) {
            refuse(field, name);
        }
    }
}

/// The functions prost makes for a field.
fn getters(field: &Field) -> Vec<String> {
    let name = field.rust.trim_start_matches("r#");
    match (&field.ty, field.presence) {
        (Type::Enum(_), _) => vec![name.to_owned(), format!("set_{name}")],
        (Type::List(item), _) if matches!(**item, Type::Enum(_)) => vec![name.to_owned(), format!("push_{name}")],
        (Type::Map(_, item), _) if matches!(**item, Type::Enum(_)) => {
            vec![format!("get_{name}"), format!("insert_{name}")]
        }
        (Type::Scalar(_) | Type::WellKnown(_), Presence::Option) => vec![name.to_owned()],
        _ => Vec::new(),
    }
}
