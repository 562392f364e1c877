//! All packages of one compilation, and questions about them as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::{Enum, Field, Layout, Package, Struct, TypeRef, Union};

/// All packages, by name.
#[derive(Debug, Default)]
pub(crate) struct Contracts {
    packages: BTreeMap<String, Package>,
    index: Index,
    ruled: BTreeSet<TypeRef>,
    personal: BTreeSet<TypeRef>,
    topics: BTreeMap<String, usize>,
}

/// Where in its package each type stands. Of two with one name, which `check` refuses, the first is meant.
#[derive(Debug, Default)]
struct Index {
    structs: BTreeMap<TypeRef, usize>,
    enums: BTreeMap<TypeRef, usize>,
    unions: BTreeMap<TypeRef, usize>,
}

impl Index {
    fn of<'a>(packages: impl Iterator<Item = &'a Package>) -> Self {
        let mut index = Self::default();
        for package in packages {
            note(&mut index.structs, package.structs.iter().map(|item| &item.rust));
            note(&mut index.enums, package.enums.iter().map(|item| &item.rust));
            note(&mut index.unions, package.unions.iter().map(|item| &item.rust));
        }
        index
    }
}

fn note<'a>(places: &mut BTreeMap<TypeRef, usize>, items: impl Iterator<Item = &'a TypeRef>) {
    for (place, item) in items.enumerate() {
        places.entry(item.clone()).or_insert(place);
    }
}

impl Contracts {
    /// Puts the packages of both languages together; a package may appear several times.
    pub(crate) fn new(packages: impl IntoIterator<Item = Package>) -> Self {
        let mut set = Self::default();
        for package in packages {
            let known = set.packages.entry(package.name.clone()).or_default();
            if known.name.is_empty() {
                known.at = package.at;
            }
            known.name = package.name;
            known.sources.extend(package.sources);
            known.structs.extend(package.structs);
            known.enums.extend(package.enums);
            known.unions.extend(package.unions);
            known.layouts.extend(package.layouts);
        }
        for package in set.packages.values_mut() {
            package.sources.sort();
            package.sources.dedup();
        }
        set.index = Index::of(set.packages.values());
        set.ruled = holders(&set, |field| field.key || !field.rules.is_empty());
        set.personal = holders(&set, |field| field.personal);
        for topic in set.events().map(|(_, event)| event.topic.clone()).collect::<Vec<_>>() {
            *set.topics.entry(topic).or_default() += 1;
        }
        set
    }

    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    pub(crate) fn structs(&self) -> impl Iterator<Item = &Struct> {
        self.packages().flat_map(|package| &package.structs)
    }

    pub(crate) fn enums(&self) -> impl Iterator<Item = &Enum> {
        self.packages().flat_map(|package| &package.enums)
    }

    pub(crate) fn unions(&self) -> impl Iterator<Item = &Union> {
        self.packages().flat_map(|package| &package.unions)
    }

    /// Every event, with what it says beside its fields.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&Struct, &super::Event)> {
        self.structs().filter_map(|item| Some((item, item.event.as_ref()?)))
    }

    /// Is another event published to this topic?
    pub(crate) fn shares_topic(&self, topic: &str) -> bool {
        self.topics.get(topic).is_some_and(|events| *events > 1)
    }

    /// Has the struct or union a rule, or something inside it?
    pub(crate) fn has_rules(&self, item: &TypeRef) -> bool {
        self.ruled.contains(item)
    }

    /// Has the struct or union a personal field, or something inside it?
    pub(crate) fn has_personal(&self, item: &TypeRef) -> bool {
        self.personal.contains(item)
    }

    /// The struct whose Rust item this is.
    pub(crate) fn find_struct(&self, item: &TypeRef) -> Option<&Struct> {
        self.packages.get(&item.package)?.structs.get(*self.index.structs.get(item)?)
    }

    /// What JSON Schema says of the struct beside its fields.
    pub(crate) fn layout(&self, item: &TypeRef) -> Option<&Layout> {
        self.packages.get(&item.package)?.layouts.get(item)
    }

    /// The enum whose Rust item this is.
    pub(crate) fn find_enum(&self, item: &TypeRef) -> Option<&Enum> {
        self.packages.get(&item.package)?.enums.get(*self.index.enums.get(item)?)
    }

    /// The union whose Rust item this is.
    pub(crate) fn find_union(&self, item: &TypeRef) -> Option<&Union> {
        self.packages.get(&item.package)?.unions.get(*self.index.unions.get(item)?)
    }
}

/// The structs and unions with such a field in them, however deep; types may contain themselves.
fn holders(set: &Contracts, is_such: fn(&Field) -> bool) -> BTreeSet<TypeRef> {
    let structs = set.structs().map(|item| (&item.rust, &item.fields));
    let unions = set.unions().map(|item| (&item.rust, &item.variants));
    let mut holders: BTreeMap<&TypeRef, Vec<&TypeRef>> = BTreeMap::new();
    let mut open = Vec::new();
    for (rust, fields) in structs.chain(unions) {
        for inner in fields.iter().filter_map(|field| field.ty.reference()) {
            holders.entry(inner).or_default().push(rust);
        }
        if fields.iter().any(is_such) {
            open.push(rust);
        }
    }
    let mut found = BTreeSet::new();
    while let Some(item) = open.pop() {
        if found.insert(item.clone()) {
            open.extend(holders.get(item).into_iter().flatten());
        }
    }
    found
}
