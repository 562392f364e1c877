//! JSON Schema contracts: read into the model, and their types as Rust.
//!
//! `text` reads a file with positions, `documents` knows all files and what a `$ref` means, `reader` walks the
//! types (`shape`, `object`, `union`, …) and `finish` looks at them together; `emit` writes the Rust types.

mod bundle;
mod documents;
mod emit;
mod enumeration;
mod event;
mod finish;
mod keywords;
mod marker;
pub(crate) mod node;
mod object;
mod reader;
mod reference;
mod scalar;
mod shape;
pub(crate) mod text;
mod union;

pub(crate) use emit::{described, emit};
pub(crate) use marker::form;

use crate::{
    model::{Mistakes, Package},
    sources::Source,
};

/// Reads the `*.schema.json` files; what is wrong in them goes to `mistakes`.
pub(crate) fn read(sources: &[Source], mistakes: &mut Mistakes) -> Vec<Package> {
    let sources = sources.iter().filter(|source| source.name.ends_with(".json"));
    let documents = documents::Documents::read(sources, mistakes);
    let mut reader = reader::Reader::new(&documents, mistakes);
    reader.read();
    reader.finish();
    reader.packages.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{configure, model::Contracts};

    fn source(text: &str) -> Source {
        Source { name: "a.schema.json".to_owned(), shown: "proto/a.schema.json".to_owned(), text: text.to_owned() }
    }

    fn mistakes(text: &str) -> Vec<String> {
        let mut mistakes = Mistakes::default();
        read(&[source(text)], &mut mistakes);
        mistakes
            .0
            .into_iter()
            .map(|mistake| format!("{}:{} {}", mistake.at.line, mistake.at.column, mistake.reason))
            .collect()
    }

    #[test]
    fn positions_count_characters() {
        let text = "{\n  \"$id\": \"a.V\", \"description\": \"äöü\", \"allOf\": [], \"type\": \"object\" }";
        assert_eq!(mistakes(text)[0], "2:39 `/allOf`: `allOf` is not supported");
    }

    #[test]
    fn files_of_too_many_values_are_refused() {
        let examples = vec!["1"; 10_000].join(",");
        let text = format!("{{ \"$id\": \"a.V\", \"type\": \"object\", \"examples\": [{examples}] }}");
        assert_eq!(mistakes(&text), ["1:1 the file has 10004 values; at most 10000 are read"]);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let text = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(mistakes(&text), ["1:128 not JSON: recursion limit exceeded"]);
    }

    #[test]
    fn long_chains_of_references_are_refused() {
        let link = |n: usize| {
            format!("\"D{n}\": {{ \"type\": \"array\", \"items\": {{ \"$ref\": \"#/$defs/D{}\" }} }}", n + 1)
        };
        let links = (0..1500).map(link).collect::<Vec<_>>().join(",");
        let text = format!("{{ \"$id\": \"a.V\", \"$defs\": {{ {links}, \"D1500\": {{ \"type\": \"string\" }} }} }}");
        assert!(mistakes(&text).iter().all(|text| text.ends_with("the schemas are nested too deeply")));
    }

    /// Whatever becomes of a contract's bytes, it is refused or becomes Rust.
    #[test]
    fn mutants_are_refused_or_become_rust() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/");
        for case in
            ["json_schema_event/parcel_shipped", "json_schema_union/payment_taken", "json_schema_rules/customer"]
        {
            let text = std::fs::read(format!("{folder}{case}.schema.json")).unwrap();
            let mut random = 1_u32;
            let mut next = |below: usize| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (random >> 8) as usize % below
            };
            for _ in 0..400 {
                let mut mutant = text.clone();
                let (place, bytes) = (next(text.len()), b"{}[]\",:x1 -.r#$");
                match next(3) {
                    0 => mutant[place] = bytes[next(bytes.len())],
                    1 => drop(mutant.remove(place)),
                    _ => mutant.swap(place, next(text.len())),
                }
                compile(&String::from_utf8_lossy(&mutant));
            }
        }
    }

    fn compile(text: &str) {
        let mut mistakes = Mistakes::default();
        let set = Contracts::new(read(&[source(text)], &mut mistakes));
        crate::mistakes::find(&set, &mut mistakes);
        if !mistakes.0.is_empty() {
            return;
        }
        for package in set.packages() {
            let code = emit(package, &set, configure());
            assert!(syn::parse2::<syn::File>(code).is_ok(), "{text}");
        }
    }
}
