//! The table of all keys, as the guide has it. `BLESS=1` writes it there.

use std::{collections::BTreeSet, fmt::Write, fs};

use super::keys;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
const MARKS: [&str; 2] = ["<!-- keys -->\n", "\n<!-- /keys -->"];

#[test]
fn the_guide_has_the_table_of_all_keys() {
    let mut table = "| key | variable | type | default | meaning |\n|---|---|---|---|---|".to_owned();
    for row in keys().rows() {
        let default = if row.default.is_empty() { "none".to_owned() } else { format!("`{}`", row.default) };
        write!(table, "\n| `{}` | `{}` | {} | {default} | {} |", row.path, row.variable, row.kind, row.meaning)
            .expect("a string takes all");
    }
    let guide = fs::read_to_string(GUIDE).expect("the guide");
    let [open, close] = MARKS;
    let (before, rest) = guide.split_once(open).expect("the table begins");
    let (found, after) = rest.split_once(close).expect("the table ends");
    if std::env::var_os("BLESS").is_some() {
        return fs::write(GUIDE, format!("{before}{open}{table}{close}{after}")).expect("the guide is writable");
    }
    assert_eq!(found, table, "run the test again with BLESS=1");
}

#[test]
fn each_key_and_each_variable_is_there_once() {
    let rows = keys().rows();
    let paths: BTreeSet<&str> = rows.iter().map(|row| &*row.path).collect();
    let variables: BTreeSet<&str> = rows.iter().map(|row| &*row.variable).collect();
    assert_eq!((paths.len(), variables.len()), (rows.len(), rows.len()));
}

#[test]
fn every_limit_of_http_can_be_set() {
    let limits = format!("{:?}", crate::http::Limits::default());
    let fields: BTreeSet<String> = limits
        .split(['{', ',', '}'])
        .filter_map(|field| field.split_once(": ").map(|(name, _)| format!("http.limits.{}", name.trim())))
        .collect();
    let keys: BTreeSet<String> = keys().rows().into_iter().map(|row| row.path).collect();
    assert!(fields.len() > 20);
    assert_eq!(fields.difference(&keys).collect::<Vec<_>>(), Vec::<&String>::new());
}
