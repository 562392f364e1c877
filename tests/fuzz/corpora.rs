//! The fixed corpora: how many inputs the page on fuzzing says there are is how many there are.

use std::{collections::BTreeMap, fs, path::Path};

use super::entries;

const PAGE: &str = "docs/design/fuzzing.md";
/// What reliability asks for.
const LEAST: usize = 6_700;
/// How a file of tests says how many inputs it has; it holds them to that itself.
const SIGN: &str = "const INPUTS: ";

fn number(text: &str) -> Option<usize> {
    text.replace([',', '_'], "").parse().ok()
}

/// The files below a folder that count their inputs.
fn count(folder: &Path, counts: &mut BTreeMap<String, usize>) {
    for path in entries(folder) {
        if path.is_dir() {
            count(&path, counts);
            continue;
        }
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        let text = if is_code { fs::read_to_string(&path).expect("it is text") } else { String::new() };
        let told = text.lines().filter(|line| line.trim_start_matches("pub(super) ").starts_with(SIGN));
        for line in told {
            let inputs = line.rsplit("= ").next().and_then(|rest| number(rest.trim_end_matches(';')));
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("it is in here").display().to_string();
            let before = counts.insert(name, inputs.unwrap_or_else(|| panic!("{}: {line}", path.display())));
            assert_eq!(before, None, "{} counts twice", path.display());
        }
    }
}

/// Each row of the page: a file, and its inputs.
fn rows(page: &str) -> BTreeMap<String, usize> {
    let cells = page.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter_map(|cells| match cells[..] {
        ["", _, count, place, _, ""] => Some((place.trim_matches('`').to_owned(), number(count)?)),
        _ => None,
    });
    rows.collect()
}

#[test]
fn the_page_counts_the_inputs_of_every_fixed_corpus_and_all_of_them() {
    let (home, mut counts) = (Path::new(env!("CARGO_MANIFEST_DIR")), BTreeMap::new());
    ["src", "tests"].into_iter().for_each(|folder| count(&home.join(folder), &mut counts));
    let page = fs::read_to_string(home.join(PAGE)).expect("it is there");
    assert_eq!(rows(&page), counts, "{PAGE}");
    let sum: usize = counts.values().sum();
    let told = format!("In all {},{:03} inputs", sum / 1_000, sum % 1_000);
    assert!(page.contains(&told), "{PAGE} does not say: {told}");
    assert!(sum >= LEAST, "{sum} inputs");
}
